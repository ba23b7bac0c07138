"""Has TensorFlow compute in float64 what it computes in float32 alone, for the comparison in float64.

TensorFlow resizes images in float32 whatever their type. What comes out is a mix of rows and columns whatever the
method, and the weights of the mix stand here.
Its pooling in three dimensions has no code for float64 at all.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nndsl.interop.verify_job import CannotRun

NOTE = "TensorFlow resizes images in float32 whatever the float type is; here Keras resizes in float64"


POOLING = "TensorFlow has no pooling of float64 in three dimensions; Keras does without TensorFlow's here"

used: list[str] = []
"""What a stand-in has been used for."""


def install() -> None:
    """Puts the stand-in in place, for as long as the process lives."""
    real = tf.image.resize
    if hasattr(real, "real"):
        return
    for name, pooled in (("max_pool", _max_pool), ("avg_pool", _average_pool)):
        setattr(tf.nn, name, _in_float64(getattr(tf.nn, name), pooled))

    def resize(images: Any, size: Any, method: Any = "bilinear", antialias: bool = False, **options: Any) -> Any:
        images = tf.convert_to_tensor(images)
        if images.dtype != tf.float64 or method == "nearest" or any(options.values()):
            return real(images, size, method=method, antialias=antialias, **options)
        _use(NOTE)
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


def _use(note: str) -> None:
    if note not in used:
        used.append(note)


def _in_float64(real: Any, pooled: Any) -> Any:
    def pool(images: Any, ksize: Any, strides: Any, padding: str, data_format: Any = None) -> Any:
        if images.dtype != tf.float64 or images.shape.rank != 5:
            return real(images, ksize, strides, padding, data_format)
        _use(POOLING)
        sizes, steps = ([item] * 3 if isinstance(item, int) else list(item) for item in (ksize, strides))
        return pooled(images, sizes, steps, padding)

    return pool


def _max_pool(images: Any, sizes: list[int], steps: list[int], padding: str) -> Any:
    """Every one of several equal maxima has the whole gradient, as in TensorFlow's own on a CPU."""
    windows = _windows(images, sizes, steps, padding, tf.float64.min)
    highest = tf.stop_gradient(tf.reduce_max(windows, axis=0))
    chosen = tf.cast(windows == highest, tf.float64)
    return highest + tf.reduce_sum((windows - tf.stop_gradient(windows)) * chosen, axis=0)


def _average_pool(images: Any, sizes: list[int], steps: list[int], padding: str) -> Any:
    """Padding does not count."""
    total = tf.reduce_sum(_windows(images, sizes, steps, padding, 0.0), axis=0)
    return total / tf.reduce_sum(_windows(tf.ones_like(images), sizes, steps, padding, 0.0), axis=0)


def _windows(images: Any, sizes: list[int], steps: list[int], padding: str, fill: float) -> Any:
    """What stands at each place of a window, for all windows: [places, batch, …, channels]."""
    paddings, ends = [[0, 0]], []
    for axis, (size, step) in enumerate(zip(sizes, steps, strict=True), start=1):
        length = images.shape[axis]
        length = tf.shape(images)[axis] if length is None else length
        count = (length + step - 1) // step if padding == "SAME" else (length - size) // step + 1
        missing = (count - 1) * step + size - length
        more = (missing > 0) * missing if isinstance(missing, int) else tf.maximum(missing, 0)
        paddings.append([more // 2, more - more // 2])
        ends.append((count - 1) * step + 1)
    padded = tf.pad(images, [*paddings, [0, 0]], constant_values=fill)
    d, h, w = ends
    return tf.stack(
        [
            padded[:, i : i + d : steps[0], j : j + h : steps[1], k : k + w : steps[2]]
            for i, j, k in product(*(range(size) for size in sizes))
        ]
    )


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
