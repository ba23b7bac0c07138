"""Has TensorFlow compute in float64 what it computes in float32 alone, for the comparison in float64.

TensorFlow resizes images in float32 whatever their type. What comes out is a mix of rows and columns whatever the
method, and the weights of the mix stand here.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
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

    def resize(images: Any, size: Any, method: Any = "bilinear", antialias: bool = False, **options: Any) -> Any:
        images = tf.convert_to_tensor(images)
        if images.dtype != tf.float64 or method == "nearest" or any(options.values()):
            return real(images, size, method=method, antialias=antialias, **options)
        if NOTE not in used:
            used.append(NOTE)
        height, width = tf.unstack(tf.convert_to_tensor(size), num=2)
        rows = _weights(tf.shape(images)[1], height, method, antialias)
        columns = _weights(tf.shape(images)[2], width, method, antialias)
        resized = tf.einsum("hi,bijc,wj->bhwc", rows, images, columns)
        known = tf.get_static_value(size)
        resized.set_shape([images.shape[0], *([None, None] if known is None else known), images.shape[3]])
        return resized

    resize.real = real  # type: ignore[attr-defined]
    tf.image.resize = resize
    equalizer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization
    transform = equalizer.transform_images

    def transform_images(self: Any, images: Any, *arguments: Any, **options: Any) -> Any:
        if images.dtype == tf.float64:
            raise CannotRun("Keras equalizes histograms in float32 alone, whatever the float type is")
        return transform(self, images, *arguments, **options)

    equalizer.transform_images = transform_images


def _weights(old: Any, new: Any, method: str, antialias: bool) -> Any:
    """How much each of `old` places of an axis counts for each of `new`: [new, old]."""
    step = tf.cast(old, tf.float64) / tf.cast(new, tf.float64)
    pixels = tf.range(old, dtype=tf.float64)
    if method == "area":
        edges = tf.range(new + 1, dtype=tf.float64) * step
        start, end = edges[:-1, None], edges[1:, None]
        part = tf.minimum(pixels + 1, end) - tf.maximum(pixels, start)
        within = (pixels < start) & (pixels + 1 > end)
        return tf.maximum(tf.where(within, step, part), 0) / step
    places = (tf.range(new, dtype=tf.float64) + 0.5) * step - 0.5
    if method == "bicubic" and not antialias:  # a table of 1024 places
        below = tf.floor(places)
        places = below + tf.round((places - below) * 1024) / 1024
    distances = tf.abs(places[:, None] - pixels)
    if antialias:
        distances /= tf.maximum(step, 1)
    kernel = _kernel(distances, method)
    return kernel / tf.reduce_sum(kernel, axis=1, keepdims=True)


def _kernel(d: Any, method: str) -> Any:
    """The weight of what is so far away; borders need no care, since the sum of weights is made 1."""
    if method == "bilinear":
        return tf.maximum(1 - d, 0)
    if method == "bicubic":
        near = (1.5 * d - 2.5) * d * d + 1
        far = ((-0.5 * d + 2.5) * d - 4) * d + 2
        return tf.where(d < 1, near, tf.where(d < 2, far, tf.zeros_like(d)))
    radius = float(method.removeprefix("lanczos"))
    return tf.where(d <= radius, _sinc(d) * _sinc(d / radius), tf.zeros_like(d))


def _sinc(x: Any) -> Any:
    safe = tf.where(x == 0, tf.ones_like(x), np.pi * x)
    return tf.where(x == 0, tf.ones_like(x), tf.sin(safe) / safe)
