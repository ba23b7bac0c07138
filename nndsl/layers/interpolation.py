"""How torch gives images another size as TensorFlow does (tf.image.resize): by its own function where that computes the
same, else by a helper."""

from __future__ import annotations

from nndsl import code
from nndsl.layers.emit import TorchCall

METHODS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "area")


def interpolate(t: TorchCall, x: code.Expr, method: str, antialias: bool = False, **size: object) -> code.Expr:
    """Images `x` [batch, channels, height, width], floats, at another size: `size=(height, width)`, or `scale_factor`
    where torch's function takes it (see `own_function`)."""
    if method == "nearest":
        return code.call("F.interpolate", x, **size, mode="nearest-exact")
    if own_function(method, antialias):
        options = {"antialias": True} if antialias else {}
        return code.call("F.interpolate", x, **size, mode=method, **options)
    if method == "bicubic":
        return code.call(t.helper("resize_bicubic"), x, size["size"])
    if method == "area":
        return code.call(t.helper("resize_area"), x, size["size"])
    options = {"antialias": True} if antialias else {}
    return code.call(t.helper("resize_lanczos"), x, size["size"], int(method[-1]), **options)


def own_function(method: str, antialias: bool = False) -> bool:
    """Whether torch's `F.interpolate` computes what TensorFlow does. Its bicubic kernel is another one (a = -0.75)
    unless `antialias` is on, and its "area" takes whole pixels alone."""
    return method in ("nearest", "bilinear") or (method == "bicubic" and antialias)
