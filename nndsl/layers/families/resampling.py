"""Layers that add, take away or repeat rows: ZeroPadding, Cropping, UpSampling in 1D, 2D, 3D."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ArgumentError, Binder, Kind, arg, entry
from nndsl.layers.interpolation import interpolate, own_function
from nndsl.layers.kinds import Choice, DataFormat, Int, PerAxis
from nndsl.layers.shapes import Check, ShapeError, need_float
from nndsl.layers.spatial import ANY_RANK, AXES, DATA_FORMAT, Spatial, compact, pad
from nndsl.layers.values import show

Pairs = tuple[tuple[int, int], ...]


class Margins(Kind[Any]):
    """Numbers before and after each of `rank` axes: one number, one for each axis, or a pair for each axis.

    The value is a tuple of pairs, over a single axis the pair itself, as Keras takes it.
    """

    def __init__(self, rank: int) -> None:
        self.rank = rank

    def convert(self, value: object, bind: Binder) -> Any:
        pair = PerAxis(2, 0)
        try:
            if self.rank == 1:
                return pair.convert(value, bind)
            if isinstance(value, tuple | list):
                if len(value) != self.rank:
                    raise ArgumentError("")
                return tuple(pair.convert(item, bind) for item in value)
            number = Int(0).convert(value, bind)
        except ArgumentError as error:
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}", code=error.code) from None
        return ((number, number),) * self.rank

    def describe(self) -> str:
        if self.rank == 1:
            return "an integer, 0 or more, or a pair `(before, after)`"
        names = ", ".join(f"({axis}: before, after)" for axis in AXES[self.rank])
        return f"an integer, 0 or more, or {self.rank} of them, or {self.rank} pairs `({names})`"


class Margined(Spatial):
    """Base of the layers with Margins, held by the argument called `margins`."""

    margins: ClassVar[str]

    @property
    def sides(self) -> Pairs:
        """A pair for each axis."""
        value: Any = getattr(self, self.margins)
        return (value,) if self.rank == 1 else value

    def written(self, k: KerasCall) -> dict[str, object]:
        changed = super().written(k)
        numbers = {number for side in self.sides for number in side}
        if self.margins in self.given and len(numbers) == 1:
            changed[self.margins] = numbers.pop()
        return changed


class ZeroPadding(Margined):
    """Base of ZeroPadding1D/2D/3D."""

    margins = "padding"

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.need_axes(x)
        sizes = [n + before + after for n, (before, after) in zip(self.sizes(x), self.sides, strict=True)]
        return self.of(x, sizes, self.channels(x))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return pad(x, self.sides)


class Cropping(Margined):
    """Base of Cropping1D/2D/3D."""

    margins = "cropping"

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.need_axes(x)
        sizes = []
        for axis, size, (before, after) in zip(AXES[self.rank], self.sizes(x), self.sides, strict=True):
            rest = size - before - after
            check.at_least(
                rest,
                1,
                ShapeError(
                    f"cropping {before} and {after} leaves nothing of the {axis} of {size} that `{self.title()}` gets",
                    code="NN0303",
                    argument="cropping",
                    help=f"crop less than the {axis} in all",
                ),
            )
            sizes.append(rest)
        return self.of(x, sizes, self.channels(x))

    def crop(self, x: code.Expr, axes: Sequence[int]) -> code.Expr:
        """`x[:, :, 1:-1]`, with `axes` as positions in the tensor."""
        cuts = dict(zip(axes, self.sides, strict=True))
        items = [code.Slice() for _ in range(max(axes) + 1)]
        for axis, (before, after) in cuts.items():
            start = code.Literal(before) if before else None
            items[axis] = code.Slice(start, code.Literal(-after) if after else None)
        return code.index(x, *items) if any(before or after for before, after in self.sides) else x

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        rank = t.inputs[0].rank
        return self.crop(x, [t.axis(axis) % rank for axis in self.spatial_axes()])


class UpSampling(Spatial):
    """Base of UpSampling1D/2D/3D."""

    size: tuple[int, ...]

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.need_axes(x)
        sizes = [n * factor for n, factor in zip(self.sizes(x), self.size, strict=True)]
        return self.of(x, sizes, self.channels(x))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        # F.interpolate divides by the factor in float, which is exact for powers of 2 alone.
        if self.layout == "channels" and t.inputs[0].is_float and set(self.size) <= {1, 2, 4, 8}:
            return code.call("F.interpolate", x, scale_factor=code.lift(compact(self.size)))
        for axis, factor in zip(self.spatial_axes(), self.size, strict=True):
            if factor > 1:
                x = code.method(x, "repeat_interleave", factor, dim=t.axis(axis))
        return x


@entry("layer")
class ZeroPadding1D(ZeroPadding):
    """Puts zeros in front of a sequence and behind it.

    Takes [length, channels] and gives [length + before + after, channels].

    Example:
        x -> ZeroPadding1D((2, 0)) -> Conv1D(8, 3)
    """

    rank = 1
    padding = arg(Margins(1), "Zeros on each side, or `(before, after)`.", (1, 1))
    data_format = arg(DataFormat, DATA_FORMAT, None)


@entry("layer")
class ZeroPadding2D(ZeroPadding):
    """Puts rows and columns of zeros around an image.

    Takes [height, width, channels] and gives [height + top + bottom, width + left + right, channels].

    Example:
        image -> ZeroPadding2D(((0, 1), (0, 1))) -> Conv2D(32, 3, strides=2)
    """

    rank = 2
    padding = arg(
        Margins(2),
        "Zeros on all sides, `(above and below, left and right)`, or `((top, bottom), (left, right))`.",
        ((1, 1),) * 2,
    )
    data_format = arg(DataFormat, DATA_FORMAT, None, formerly=("dim_ordering",))


@entry("layer")
class ZeroPadding3D(ZeroPadding):
    """Puts zeros around a volume.

    Takes [depth, height, width, channels]; each axis grows by its two numbers.

    Example:
        volume -> ZeroPadding3D((0, 1, 1)) -> Conv3D(8, 3)
    """

    rank = 3
    padding = arg(Margins(3), "Zeros on all sides, a number for each axis, or a pair for each axis.", ((1, 1),) * 3)
    data_format = arg(DataFormat, DATA_FORMAT, None, formerly=("dim_ordering",))


@entry("layer")
class Cropping1D(Cropping):
    """Cuts steps off both ends of a sequence.

    Takes [length, channels] and gives [length - before - after, channels]: axis 1 is cropped, whatever the model's
    data_format.

    Example:
        x -> Cropping1D((0, 1))
    """

    rank = 1
    layout = "any"
    data_format = "channels_last"
    cropping = arg(Margins(1), "Steps to cut off each end, or `(before, after)`.", (1, 1))

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return self.crop(x, [k.axis(1) % 3]) if k.last else super().keras(k, x)


@entry("layer")
class Cropping2D(Cropping):
    """Cuts rows and columns off an image.

    Takes [height, width, channels] and gives [height - top - bottom, width - left - right, channels].

    Example:
        image -> Cropping2D(((2, 2), (4, 4)))
    """

    rank = 2
    layout = "any"
    cropping = arg(
        Margins(2),
        "What to cut off all sides, `(above and below, left and right)`, or `((top, bottom), (left, right))`.",
        ((0, 0),) * 2,
    )
    data_format = arg(DataFormat, DATA_FORMAT, None, formerly=("dim_ordering",))


@entry("layer")
class Cropping3D(Cropping):
    """Cuts the borders off a volume.

    Takes [depth, height, width, channels]; each axis shrinks by its two numbers.

    Example:
        volume -> Cropping3D((0, 2, 2))
    """

    rank = 3
    layout = "any"
    cropping = arg(Margins(3), "What to cut off all sides, a number or a pair for each axis.", ((1, 1),) * 3)
    data_format = arg(DataFormat, DATA_FORMAT, None, formerly=("dim_ordering",))


@entry("layer")
class UpSampling1D(UpSampling):
    """Repeats each step of a sequence `size` times.

    Takes [length, channels] and gives [length * size, channels]: axis 1 is repeated, whatever the model's data_format.

    Example:
        x -> UpSampling1D(2) -> Conv1D(16, 3, padding=same)
    """

    rank = 1
    layout = "any"
    data_format = "channels_last"
    size = arg(ANY_RANK, "How often each step is repeated.", 2, formerly=("length",))

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return code.call("keras.ops.repeat", x, self.size[0], axis=k.axis(1)) if k.last else super().keras(k, x)


@entry("layer")
class UpSampling2D(UpSampling):
    """Makes an image larger by whole factors: by repeating its pixels, or with values in between.

    Takes [height, width, channels] and gives [height * size, width * size, channels]. TensorFlow computes all methods
    but `nearest` in float32, in a float64 model too, PyTorch in float64.

    Example:
        image -> UpSampling2D(2, interpolation=bilinear)
    """

    rank = 2
    size = arg(ANY_RANK, "How many times as high and wide.", 2)
    data_format = arg(DataFormat, DATA_FORMAT, None, formerly=("dim_ordering",))
    interpolation = arg(
        Choice("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"),
        "`nearest` repeats; the others interpolate, each smoother than the one before.",
        "nearest",
    )

    def infer(self, check: Check, x: TensorType) -> TensorType:
        result = super().infer(check, x)
        if self.interpolation != "nearest":
            need_float(x, self.title())
        return result

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if self.interpolation == "nearest":
            return super().torch(t, x)
        if own_function(self.interpolation):
            return interpolate(t, x, self.interpolation, scale_factor=compact(self.size))
        sizes: list[object] = list(self.sizes(t.results[0]))
        if not all(isinstance(size, int) for size in sizes):
            x = t.step(x, "x")
            now = code.Attr(x, "shape")
            sizes = [
                code.binary("*", code.index(now, axis), size) for axis, size in zip((2, 3), self.size, strict=True)
            ]
        return interpolate(t, x, self.interpolation, size=tuple(sizes))

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        larger = super().keras(k, x)
        dtype = k.results[0].dtype
        if self.interpolation != "nearest" and dtype != "float32":  # what TensorFlow resizes becomes float32
            return code.call("keras.ops.cast", larger, dtype)
        return larger


@entry("layer")
class UpSampling3D(UpSampling):
    """Makes a volume larger by whole factors, by repeating its values.

    Takes [depth, height, width, channels] and gives [depth * size, height * size, width * size, channels].

    Example:
        volume -> UpSampling3D((1, 2, 2))
    """

    rank = 3
    size = arg(ANY_RANK, "How many times as deep, high and wide.", 2)
    data_format = arg(DataFormat, DATA_FORMAT, None, formerly=("dim_ordering",))
