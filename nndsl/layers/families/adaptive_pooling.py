"""Pooling to a given size: AdaptiveMaxPooling and AdaptiveAveragePooling in 1D, 2D, 3D."""

from __future__ import annotations

from typing import Any

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import Kind, arg, entry
from nndsl.layers.families.global_pooling import GlobalMaxPooling
from nndsl.layers.kinds import DataFormat
from nndsl.layers.shapes import Check, ShapeError, static
from nndsl.layers.spatial import ANY_RANK, AXES, DATA_FORMAT, Spatial, compact

_SIZE: Kind[Any] = ANY_RANK


class AdaptivePooling(Spatial):
    """Base of the layers whose windows are as large as the size of the output wants them.

    Both frameworks let window `i` of `n` run from floor(i*size/n) up to ceil((i+1)*size/n): windows may overlap, and
    differ by one in their size.
    """

    output_size: tuple[int, ...] = arg(_SIZE, "Size of the output along each axis.")
    data_format = arg(DataFormat, DATA_FORMAT, None)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.need(x)
        for axis, size in zip(AXES[self.rank], self.sizes(x), strict=True):
            whole = self.title().replace("Adaptive", "Global")
            static(
                size,
                f"the windows of `{self.title()}` along the {axis}",
                x,
                argument="output_size",
                help=f"give the {axis} a number, or pool over all of it: `{whole}()` takes any size",
            )
        return self.of(x, self.output_size, self.channels(x))

    def pool(self, kind: str, x: code.Expr, size: tuple[int, ...]) -> code.Expr:
        """`F.adaptive_avg_pool2d(x, 4)`"""
        return code.call(f"F.adaptive_{kind}_pool{self.rank}d", x, compact(size))


class AdaptiveAveragePooling(AdaptivePooling):
    """Base of AdaptiveAveragePooling1D/2D/3D."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return self.pool("avg", x, self.output_size)


class AdaptiveMaxPooling(AdaptivePooling):
    """Base of AdaptiveMaxPooling1D/2D/3D.

    TensorFlow's kernels for CPUs crash in the gradient of what Keras 3.15 makes of an axis that is one window, or one
    place: in 1D and 2D such a layer is written as GlobalMaxPooling, and refused where it is more than that.
    """

    @property
    def whole(self) -> GlobalMaxPooling | None:
        """The same as a pooling over all there is."""
        if self.rank == 3 or set(self.output_size) != {1}:
            return None
        found: GlobalMaxPooling = make(
            "layer", f"GlobalMaxPooling{self.rank}D", data_format=self.data_format, keepdims=True
        )
        return found

    def infer(self, check: Check, x: TensorType) -> TensorType:
        result = super().infer(check, x)
        for axis, have, want in zip(AXES[self.rank], self.sizes(x), self.output_size, strict=True):
            if self.rank < 3 and self.whole is None and 1 in (have, want):
                raise ShapeError(
                    f"`{self.title()}` cannot be trained in Keras 3.15 with one window along the {axis} and several "
                    "along another axis: TensorFlow crashes"
                    if want == 1
                    else f"`{self.title()}` cannot be trained in Keras 3.15 on a {axis} of 1: TensorFlow crashes",
                    code="NN0218",
                    argument="output_size",
                    help=f"pool over the whole {axis} with a `MaxPooling{self.rank}D` before it, and take the axis "
                    f"away with a `Reshape`",
                )
        return result

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if self.whole is not None:
            return self.whole.torch(t, x)
        sizes = self.sizes(t.inputs[0])
        narrow = any(have == want for have, want in zip(sizes, self.output_size, strict=True))
        if self.rank != 2 or narrow:  # narrow windows have one place along an axis
            return self.pool("max", x, self.output_size)
        # Keras pools over the height, then over the width: of equal maxima the one furthest left gets the gradient,
        # where torch takes the topmost.
        height, width = self.output_size
        return code.Attr(self.pool("max", code.Attr(x, "mT"), (width, height)), "mT")

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self.whole or self, x, **self.written(k))

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self.whole or self, **self.written(k))


@entry("layer")
class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """The largest value in each of `output_size` windows that cover a sequence, channel by channel.

    Takes [length, channels] with a known length and gives [output_size, channels]. Window `i` runs from
    floor(i * length / output_size) up to ceil((i + 1) * length / output_size). A mask ends here.

    Example:
        x -> Conv1D(32, 5, activation=relu) -> AdaptiveMaxPooling1D(4)
    """

    rank = 1


@entry("layer")
class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The largest value in each of the windows that cover an image, channel by channel.

    Takes [height, width, channels] with known sizes and gives [output_size, output_size, channels], with windows as in
    `AdaptiveMaxPooling1D`.

    Example:
        image -> Conv2D(32, 3, activation=relu) -> AdaptiveMaxPooling2D((2, 3))
    """

    rank = 2


@entry("layer")
class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """The largest value in each of the windows that cover a volume, channel by channel.

    Takes [depth, height, width, channels] with known sizes, with windows as in `AdaptiveMaxPooling1D`. Of equal largest
    values the first gets the gradient (TensorFlow's kernel for CPUs gives it to each of them).

    Example:
        video -> Conv3D(16, 3, activation=relu) -> AdaptiveMaxPooling3D((1, 2, 2))
    """

    rank = 3


@entry("layer")
class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """The average of each of `output_size` windows that cover a sequence, channel by channel.

    Takes [length, channels] with a known length and gives [output_size, channels], with windows as in
    `AdaptiveMaxPooling1D`. A mask is not looked at, and ends here.

    Example:
        x -> AdaptiveAveragePooling1D(4)
    """

    rank = 1


@entry("layer")
class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The average of each of the windows that cover an image, channel by channel.

    Takes [height, width, channels] with known sizes and gives [output_size, output_size, channels], with windows as in
    `AdaptiveMaxPooling1D`.

    Example:
        image -> Conv2D(64, 3, activation=relu) -> AdaptiveAveragePooling2D(2) -> Flatten() -> Dense(10)
    """

    rank = 2


@entry("layer")
class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """The average of each of the windows that cover a volume, channel by channel.

    Takes [depth, height, width, channels] with known sizes, with windows as in `AdaptiveMaxPooling1D`.

    Example:
        volume -> AdaptiveAveragePooling3D(2)
    """

    rank = 3
