"""Pooling over all of the spatial axes: GlobalMaxPooling and GlobalAveragePooling in 1D, 2D, 3D."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.emit import TorchCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Bool, DataFormat
from nndsl.layers.shapes import Check
from nndsl.layers.spatial import DATA_FORMAT, Spatial


class GlobalPooling(Spatial):
    """Base of the global poolings."""

    layout = "any"  # a reduction over some axes does as well on either order
    data_format = arg(DataFormat, DATA_FORMAT, None, formerly=("dim_ordering",))
    keepdims = arg(Bool(), "Whether the spatial axes stay, with size 1.", False)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.need(x)
        channels = self.channels(x)
        return self.of(x, (1,) * self.rank, channels) if self.keepdims else x.with_shape(channels)

    def reduce(self, t: TorchCall, x: code.Expr, name: str) -> code.Expr:
        """`x.amax(dim=(2, 3))`"""
        axes = tuple(t.axis(axis) for axis in self.spatial_axes())
        options = {"keepdim": True} if self.keepdims else {}
        return code.method(x, name, dim=axes[0] if len(axes) == 1 else axes, **options)


class GlobalMaxPooling(GlobalPooling):
    """Base of GlobalMaxPooling1D/2D/3D."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return self.reduce(t, x, "amax")  # equal maxima share the gradient, as in Keras; max(dim) would pick one


class GlobalAveragePooling(GlobalPooling):
    """Base of GlobalAveragePooling1D/2D/3D."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return self.reduce(t, x, "mean")


@entry("layer", "GlobalMaxPool1D")
class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest value of each channel over a whole sequence.

    Takes [length, channels] of any length and gives [channels]. A mask is not looked at: padding can be the largest
    value. It ends here.

    Example:
        x -> Conv1D(64, 5, activation=relu) -> GlobalMaxPooling1D() -> Dense(1)
    """

    rank = 1


@entry("layer", "GlobalMaxPool2D")
class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest value of each channel over a whole image.

    Takes [height, width, channels] of any size and gives [channels].

    Example:
        image -> Conv2D(64, 3, activation=relu) -> GlobalMaxPooling2D() -> Dense(10)
    """

    rank = 2


@entry("layer", "GlobalMaxPool3D")
class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest value of each channel over a whole volume.

    Takes [depth, height, width, channels] of any size and gives [channels].

    Example:
        volume -> Conv3D(16, 3, activation=relu) -> GlobalMaxPooling3D() -> Dense(2)
    """

    rank = 3


@entry("layer", "GlobalAvgPool1D")
class GlobalAveragePooling1D(GlobalAveragePooling):
    """The average of each channel over a whole sequence; masked steps do not count.

    Takes [length, channels] of any length and gives [channels]. A sequence with every step masked gives NaN, as in
    Keras. The mask ends here.

    Example:
        words -> Embedding(1000, 16, mask_zero=true) -> GlobalAveragePooling1D() -> Dense(1)
    """

    rank = 1
    uses_mask = True

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        mask = t.masks[0] if t.masks else None
        if mask is None:
            return super().torch(t, x)
        steps = t.axis(self.spatial_axes()[0])
        options = {"keepdim": True} if self.keepdims else {}
        kept = t.let(code.method(mask, "unsqueeze", -1 if steps == 1 else 1), "kept")
        total = code.method(code.method(x, "where", kept, 0.0), "sum", dim=steps, **options)
        return code.binary("/", total, code.method(kept, "sum", dim=steps, **options))


@entry("layer", "GlobalAvgPool2D")
class GlobalAveragePooling2D(GlobalAveragePooling):
    """The average of each channel over a whole image.

    Takes [height, width, channels] of any size and gives [channels].

    Example:
        image -> Conv2D(64, 3, activation=relu) -> GlobalAveragePooling2D() -> Dense(10)
    """

    rank = 2


@entry("layer", "GlobalAvgPool3D")
class GlobalAveragePooling3D(GlobalAveragePooling):
    """The average of each channel over a whole volume.

    Takes [depth, height, width, channels] of any size and gives [channels].

    Example:
        volume -> Conv3D(16, 3, activation=relu) -> GlobalAveragePooling3D() -> Dense(2)
    """

    rank = 3
