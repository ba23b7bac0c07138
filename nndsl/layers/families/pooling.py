"""Pooling over windows: MaxPooling and AveragePooling in 1D, 2D, 3D."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.emit import TorchCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Choice, DataFormat, Maybe
from nndsl.layers.shapes import Check, Window
from nndsl.layers.spatial import ANY_RANK, DATA_FORMAT, PADDING, Spatial, compact, same_in_torch, slide

_STRIDES = "Step of the window along each axis; by default its own size, so that windows do not overlap."


class Pooling(Spatial):
    """Base of the layers that pool over a sliding window."""

    pool_size: tuple[int, ...]
    strides: tuple[int, ...] | None
    padding: str

    @property
    def windows(self) -> list[Window]:
        strides = self.strides or self.pool_size
        return [Window(size, stride) for size, stride in zip(self.pool_size, strides, strict=True)]

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.need(x)
        sizes = slide(self, check, x, self.windows, self.padding, what="pool", argument="pool_size")
        return self.of(x, sizes, self.channels(x))

    def pool(self, kind: str, x: code.Expr, around: tuple[int, ...], **options: object) -> code.Expr:
        """`F.max_pool2d(x, 2)` and its like."""
        window: dict[str, object] = {}
        if self.strides is not None and self.strides != self.pool_size:
            window["stride"] = compact(self.strides)
        if any(around):
            window["padding"] = compact(around)
        return code.call(f"F.{kind}_pool{self.rank}d", x, compact(self.pool_size), **window, **options)


class MaxPooling(Pooling):
    """Base of MaxPooling1D/2D/3D."""

    pool_size = arg(ANY_RANK, "Size of the window along each axis.", 2, formerly=("pool_length",))
    strides = arg(Maybe(ANY_RANK), _STRIDES, None, formerly=("stride",))
    padding = arg(Choice("valid", "same"), PADDING, "valid", formerly=("border_mode",))
    data_format = arg(DataFormat, DATA_FORMAT, None, formerly=("dim_ordering",))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        around = (0,) * self.rank
        if self.padding == "same":
            x, around = same_in_torch(t, x, self.windows, self.sizes(t.inputs[0]), float("-inf"))
        return self.pool("max", x, around)


class AveragePooling(Pooling):
    """Base of AveragePooling1D/2D/3D."""

    pool_size = arg(ANY_RANK, "Size of the window along each axis.", formerly=("pool_length",))
    strides = arg(Maybe(ANY_RANK), _STRIDES, None, formerly=("stride",))
    padding = arg(Choice("valid", "same"), f"{PADDING} Padding does not count in the average.", "valid",
                  formerly=("border_mode",))  # fmt: skip
    data_format = arg(DataFormat, DATA_FORMAT, None, formerly=("dim_ordering",))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        none = (0,) * self.rank
        if self.padding == "valid":
            return self.pool("avg", x, none)
        sides = [w.same_padding(n) for w, n in zip(self.windows, self.sizes(t.inputs[0]), strict=True)]
        if any(side is None or side[0] != side[1] for side in sides):
            strides = tuple(window.stride for window in self.windows)
            return code.call(t.helper("average_pool_same"), x, self.pool_size, strides)
        around = tuple(side[0] for side in sides if side is not None)
        return self.pool("avg", x, around, **({"count_include_pad": False} if any(around) else {}))


@entry("layer", "MaxPool1D")
class MaxPooling1D(MaxPooling):
    """The largest value of each window of a sequence, channel by channel.

    Takes [length, channels] and gives [length', channels]: (length - pool_size)//strides + 1, or with `padding=same`
    length/strides rounded up. A mask ends here.

    Example:
        x -> Conv1D(32, 5, activation=relu) -> MaxPooling1D(2)
    """

    rank = 1


@entry("layer", "MaxPool2D")
class MaxPooling2D(MaxPooling):
    """The largest value of each window of an image, channel by channel.

    Takes [height, width, channels] and gives [height', width', channels]: (height - pool_size)//strides + 1, or with
    `padding=same` height/strides rounded up.

    Example:
        image -> Conv2D(32, 3, activation=relu) -> MaxPooling2D()
    """

    rank = 2


@entry("layer", "MaxPool3D")
class MaxPooling3D(MaxPooling):
    """The largest value of each window of a volume, channel by channel.

    Takes [depth, height, width, channels], with sizes as in `MaxPooling2D`. Of equal largest values the first gets the
    gradient (TensorFlow's kernel for CPUs gives it to each of them).

    Example:
        video -> Conv3D(16, 3, activation=relu) -> MaxPooling3D((1, 2, 2))
    """

    rank = 3


@entry("layer", "AvgPool1D")
class AveragePooling1D(AveragePooling):
    """The average of each window of a sequence, channel by channel.

    Takes [length, channels], with lengths as in `MaxPooling1D`. With `padding=same` the padding does not count.

    Example:
        x -> AveragePooling1D(3, strides=1, padding=same)
    """

    rank = 1


@entry("layer", "AvgPool2D")
class AveragePooling2D(AveragePooling):
    """The average of each window of an image, channel by channel.

    Takes [height, width, channels], with sizes as in `MaxPooling2D`. With `padding=same` the padding does not count.

    Example:
        image -> AveragePooling2D(3, strides=2, padding=same)
    """

    rank = 2


@entry("layer", "AvgPool3D")
class AveragePooling3D(AveragePooling):
    """The average of each window of a volume, channel by channel.

    Takes [depth, height, width, channels], with sizes as in `MaxPooling2D`. With `padding=same` the padding does not
    count.

    Example:
        volume -> AveragePooling3D(2)
    """

    rank = 3
