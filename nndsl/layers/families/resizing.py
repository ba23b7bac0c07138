"""Sizes of images: Resizing, CenterCrop."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.preprocessing import as_float
from nndsl.layers.interpolation import METHODS, interpolate
from nndsl.layers.kinds import Bool, Choice, DataFormat, Float, Int
from nndsl.layers.shapes import Check, ShapeError
from nndsl.layers.spatial import AXES, DATA_FORMAT, Spatial, pad

Size = tuple[int, int]


class Sized(Spatial):
    """Base of the layers that bring images to `height` and `width`, as floats."""

    rank = 2
    height: int
    width: int

    @property
    def target(self) -> Size:
        return self.height, self.width

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.need_axes(x)
        shape = self.of(x, self.target, self.channels(x)).shape
        return TensorType(shape, x.dtype if x.is_float else check.float_dtype, batched=x.batched)

    def known_size(self, x: TensorType) -> Size | None:
        """Height and width of what comes in, where both are known."""
        height, width = self.sizes(x)
        return (height, width) if isinstance(height, int) and isinstance(width, int) else None

    def resized(self, t: TorchCall, x: code.Expr, size: Size | None, method: str, antialias: bool = False) -> code.Expr:
        """`x`, of `size`, at the layer's own."""
        return x if size == self.target else interpolate(t, x, method, antialias, size=self.target)


def crop(x: code.Expr, size: Size, part: Size) -> code.Expr:
    """The middle of images of `size`, of `part`: `x[:, :, 1:5, 2:8]`."""
    starts = [(whole - wanted) // 2 for whole, wanted in zip(size, part, strict=True)]
    cuts = [
        code.Slice(code.lift(start) if start else None, code.lift(start + wanted)) if wanted != whole else code.Slice()
        for start, wanted, whole in zip(starts, part, size, strict=True)
    ]
    while cuts and cuts[-1] == code.Slice():
        cuts.pop()
    return code.index(x, code.Slice(), code.Slice(), *cuts) if cuts else x


@entry("layer")
class Resizing(Sized):
    """Brings images to another height and width.

    Takes [height, width, channels], numbers of any kind, and gives floats [`height`, `width`, channels]. (Keras itself
    rounds integers and keeps their dtype where a model is called, and not where it trains or predicts; here it does
    not.) TensorFlow computes all methods but `nearest` in float32, in a float64 model too, PyTorch in float64. It has
    no gradient of `area`, nor in float64 of `lanczos3`, `lanczos5` and `antialias`: put these before the layers that
    are trained.

    Example:
        image -> Resizing(8, 8) -> Conv2D(32, 3)
    """

    height = arg(Int(1), "Height of the result.")
    width = arg(Int(1), "Width of the result.")
    interpolation = arg(Choice(*METHODS), "How values between pixels are found.", "bilinear")
    crop_to_aspect_ratio = arg(
        Bool(), "Whether what is too much is cropped on two sides beforehand, so that proportions stay.", False
    )
    pad_to_aspect_ratio = arg(
        Bool(), "Whether two sides are padded with `fill_value` beforehand, so that proportions stay.", False
    )
    fill_mode = arg(Choice("constant"), "How `pad_to_aspect_ratio` fills: with `fill_value`.", "constant")
    fill_value = arg(Float(), "What `pad_to_aspect_ratio` fills with.", 0.0)
    antialias = arg(
        Bool(), "Whether smaller images take all pixels into account; for `bilinear`, `bicubic` and `lanczos`.", False
    )
    data_format = arg(DataFormat, DATA_FORMAT, None)

    def check(self) -> None:
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ConfigError(
                "images are either cropped or padded to their new proportions, not both",
                "crop_to_aspect_ratio",
                "pad_to_aspect_ratio",
                help="leave one of them out",
            )

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        size = self.known_size(t.inputs[0])
        if self.crop_to_aspect_ratio and size is not None:
            part = largest_part(size, self.target)
            x, size = crop(x, size, part), part
        elif self.crop_to_aspect_ratio:
            x = code.call(t.helper("crop_to_aspect"), x, self.target)
        x = as_float(t, x)
        if self.pad_to_aspect_ratio and size is not None:
            rows, columns = margins(size, self.target)
            x = pad(x, ((rows, rows), (columns, columns)), self.fill_value)
            size = size[0] + 2 * rows, size[1] + 2 * columns
        elif self.pad_to_aspect_ratio:
            filled = {"value": self.fill_value} if self.fill_value else {}
            x = code.call(t.helper("pad_to_aspect"), x, self.target, **filled)
        return self.resized(t, x, size, self.interpolation, self.antialias and self.interpolation != "area")

    def keras_input(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return x if k.inputs[0].is_float else code.call("keras.ops.cast", x, k.results[0].dtype)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return super().keras(k, self.keras_input(k, x))


@entry("layer")
class CenterCrop(Sized):
    """Cuts the middle out of images.

    Takes [height, width, channels], numbers of any kind, and gives floats [`height`, `width`, channels]. Images that
    are smaller than that in one way are cropped to its proportions and made larger (bilinear).

    Example:
        image -> CenterCrop(8, 8) -> Conv2D(32, 3)
    """

    height = arg(Int(1), "Height of the result.")
    width = arg(Int(1), "Width of the result.")
    data_format = arg(DataFormat, DATA_FORMAT, None)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        result = super().infer(check, x)
        if not self._is_small(x):
            for axis, size, wanted in zip(AXES[2], self.sizes(x), self.target, strict=True):
                message = f"`{self.title()}` cuts a {axis} of {wanted} out of {size}, which may be less"
                check.at_least(size, wanted, ShapeError(message, code="NN0303", argument=axis))
        return result

    def _is_small(self, x: TensorType) -> bool:
        """Whether images are known to be too small."""
        pairs = zip(self.sizes(x), self.target, strict=True)
        return any(isinstance(size, int) and size < wanted for size, wanted in pairs)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        size, small = self.known_size(t.inputs[0]), self._is_small(t.inputs[0])
        if size is None:
            x = as_float(t, code.call(t.helper("crop_to_aspect" if small else "center_crop"), x, self.target))
            return self.resized(t, x, size, "bilinear") if small else x
        part = largest_part(size, self.target) if small else self.target
        return self.resized(t, as_float(t, crop(x, size, part)), part, "bilinear")

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        cropped = super().keras(k, x)
        dtype = k.results[0].dtype
        if self._is_small(k.inputs[0]) and dtype != "float32":  # what TensorFlow resizes becomes float32
            return code.call("keras.ops.cast", cropped, dtype)
        return cropped


def largest_part(size: Size, target: Size) -> Size:
    """(height, width) of the largest part of images of `size` that has the proportions of `target`."""
    height, width = size
    rows, columns = width * target[0] // target[1], height * target[1] // target[0]
    return max(min(height, rows), 1), max(min(width, columns), 1)


def margins(size: Size, target: Size) -> Size:
    """Rows above and below, columns left and right, that give images of `size` the proportions of `target`."""
    height, width = size
    rows, columns = width * target[0] // target[1], height * target[1] // target[0]
    return max(rows - height, 0) // 2, max(columns - width, 0) // 2
