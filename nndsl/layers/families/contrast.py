"""Contrast of images: AutoContrast, ContrastLimitedAdaptiveHistogramEqualization."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.preprocessing import as_float
from nndsl.layers.kinds import DataFormat, Float, Int, ListOf
from nndsl.layers.shapes import Check, ShapeError, need_rank
from nndsl.layers.spatial import AXES, DATA_FORMAT, Spatial

RANGE = ListOf(Float(), length=2)
DEFAULT = (0.0, 255.0)


def check_range(bounds: tuple[float, ...]) -> None:
    if bounds[0] >= bounds[1]:
        raise ConfigError(
            "`value_range` is the least and the largest value that an image may have",
            "value_range",
            help="write `value_range=(0, 255)`, or `value_range=(0, 1)` behind `Rescaling(1 / 255)`",
        )


def range_options(t: TorchCall, bounds: tuple[float, ...]) -> dict[str, object]:
    """The arguments `low` and `high` of a helper, where they are not usual."""
    given = zip(("low", "high"), bounds, DEFAULT, strict=True)
    return {name: t.rounded(value) for name, value, usual in given if value != usual}


@entry("layer")
class AutoContrast(Layer):
    """Stretches the values of each image over all of `value_range`, each channel for itself, in training and after.

    Takes [height, width, channels], numbers of any kind, and gives floats of the same shape. The least and the largest
    value are looked for on axes 1 and 2, whatever the model's data_format: so it is in Keras.

    Example:
        image -> AutoContrast() -> Rescaling(1 / 255) -> Conv2D(32, 3)
    """

    value_range = arg(RANGE, "The least and the largest value that an image may have.", DEFAULT)

    def check(self) -> None:
        check_range(self.value_range)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_rank(x, 4, self.title(), "[height, width, channels]")
        return x if x.is_float else TensorType(x.shape, check.float_dtype, batched=x.batched)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call(t.helper("auto_contrast"), as_float(t, x), **range_options(t, self.value_range))


@entry("layer")
class ContrastLimitedAdaptiveHistogramEqualization(Spatial):
    """Spreads the levels of gray of each tile of an image (CLAHE), so that dark and light parts show their details.

    Takes [height, width, channels], numbers of any kind, and gives floats of the same shape. Each channel has 256
    levels; a level becomes the share of lower ones among the pixels of its tile, with what lies between the nearest
    four tiles. It computes in float32, in a float64 model too, and has no gradient: put it before the layers that are
    trained.

    Example:
        image -> ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(4, 4)) -> Rescaling(1 / 255)
    """

    rank = 2
    value_range = arg(RANGE, "The least and the largest value that an image may have.", DEFAULT)
    clip_limit = arg(Float(), "No level counts for more than this times the mean; 0 is no limit.", 4.0)
    tile_grid_size = arg(ListOf(Int(1), length=2), "How many tiles there are: (down, across).", (8, 8))
    data_format = arg(DataFormat, DATA_FORMAT, None)

    def check(self) -> None:
        check_range(self.value_range)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.need_axes(x)
        for axis, size, tiles in zip(AXES[2], self.sizes(x), self.tile_grid_size, strict=True):
            error = ShapeError(
                f"a {axis} of {size} is too little for {tiles} tiles, which are filled up with its mirror image",
                code="NN0303",
                argument="tile_grid_size",
                help="take fewer tiles, or make images larger with `Resizing`",
            )
            check.at_least(size, -(-tiles // 2), error)
        return x if x.is_float else TensorType(x.shape, check.float_dtype, batched=x.batched)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        helper, x, options = t.helper("equalize_tiles"), as_float(t, x), range_options(t, self.value_range)
        if not options or t.float_dtype != "float64":
            return code.call(helper, x, self.tile_grid_size, self.clip_limit, **options)
        # Keras brings other ranges to 0 and 255 in float32, which may decide between two levels.
        x = code.method(x, "float")
        return code.method(code.call(helper, x, self.tile_grid_size, self.clip_limit, **options), "double")

    def keras_input(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return x if k.inputs[0].is_float else code.call("keras.ops.cast", x, k.results[0].dtype)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return super().keras(k, self.keras_input(k, x))
