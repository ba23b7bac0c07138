"""Has TensorFlow compute in float64 what it computes in float32 alone, for the comparison in float64.

TensorFlow resizes images in float32 whatever their type. Bilinearly that is a few lines, which stand here; other ways
cannot be compared in float64.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nndsl.interop.verify_job import CannotRun

NOTE = "TensorFlow resizes images in float32 whatever the float type is; here Keras resizes in float64"


used: list[str] = []
"""What a stand-in has been used for."""


def install() -> None:
    """Puts the stand-in in place, for as long as the process lives."""
    real = tf.image.resize
    if hasattr(real, "real"):
        return

    def resize(images: Any, size: Any, method: Any = "bilinear", **options: Any) -> Any:
        if tf.convert_to_tensor(images).dtype != tf.float64 or method == "nearest":
            return real(images, size, method=method, **options)
        if method != "bilinear" or any(options.values()):
            raise CannotRun(f"TensorFlow resizes images in float32 alone, and nndsl has no other way for {method}")
        if NOTE not in used:
            used.append(NOTE)
        height, width = tf.unstack(tf.convert_to_tensor(size), num=2)
        return _along(_along(images, height, 1), width, 2)

    resize.real = real  # type: ignore[attr-defined]
    tf.image.resize = resize


def _along(images: Any, size: Any, axis: int) -> Any:
    """Linear interpolation between the middles of pixels, along one axis; outside of them the nearest one counts."""
    count = tf.shape(images)[axis]
    places = (tf.range(size, dtype=tf.float64) + 0.5) * tf.cast(count, tf.float64) / tf.cast(size, tf.float64) - 0.5
    below = tf.floor(places)
    first, second = (
        tf.gather(images, tf.clip_by_value(tf.cast(below, tf.int32) + more, 0, count - 1), axis=axis) for more in (0, 1)
    )
    shape = [-1 if other == axis else 1 for other in range(4)]
    return first + (second - first) * tf.reshape(places - below, shape)
