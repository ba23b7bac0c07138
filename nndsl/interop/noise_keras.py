"""Has Keras's random functions give the numbers of `nndsl.interop.noise` while its clock shows a step.

What a graph draws is asked for at every run of it (`tf.numpy_function`), so a graph has to be traced while the clock
shows a step, and without XLA.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras.src.backend.tensorflow import random

from nndsl.interop import noise
from nndsl.interop.noise import clock


def install() -> None:
    """Puts the stand-ins in place, for as long as the process lives."""
    if hasattr(random.dropout, "real"):
        return
    _replace("dropout", _dropout)
    _replace("normal", _normal)
    _replace("uniform", _uniform)


def _replace(name: str, stand_in: Callable[..., Any]) -> None:
    real = getattr(random, name)

    def function(*args: Any, **options: Any) -> Any:
        return real(*args, **options) if clock.step is None else stand_in(*args, **options)

    function.real = real  # type: ignore[attr-defined]
    setattr(random, name, function)


def _draw(numbers: Callable[[tuple[int, ...], int], Any], shape: Any, kind: Any) -> Any:
    """The numbers for this run's step, as a tensor of that shape, statically where the shape is known."""

    def now(sizes: Any) -> Any:
        return numbers(tuple(int(size) for size in sizes), clock.step or 0)

    shape = tf.cast(tf.convert_to_tensor(shape), tf.int32)
    return tf.reshape(tf.numpy_function(now, [shape], kind), shape)


def _dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    if rate == 0:
        return inputs
    if rate == 1:
        return tf.zeros_like(inputs)
    shape = random._get_concrete_noise_shape(inputs, noise_shape)
    kept = _draw(lambda sizes, step: noise.kept(sizes, rate, step), shape, tf.bool)
    result = tf.where(kept, inputs / tf.constant(1 - rate, inputs.dtype), tf.zeros_like(inputs))
    result.set_shape(inputs.shape)
    return result


def _normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    drawn = tf.cast(_draw(noise.normal, shape, tf.float64), dtype or random.floatx())
    return drawn * tf.convert_to_tensor(stddev, drawn.dtype) + tf.convert_to_tensor(mean, drawn.dtype)


def _uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    drawn = tf.cast(_draw(noise.uniform, shape, tf.float64), dtype or random.floatx())
    # Keras's own goes through float32 here, and nowhere else.
    low, high = tf.cast(minval, drawn.dtype), tf.cast(maxval, drawn.dtype)
    return drawn * (high - low) + low
