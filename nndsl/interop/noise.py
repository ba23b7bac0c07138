"""Random numbers that both programs can be given: a function of a number's place in its tensor, of the step, and of
nothing else.

Both frameworks draw the masks of dropout in an order of their own, in tensors whose axes lie in another order
(channels first, channels last) or have axes of size 1 more. So a number here is the sum of a term for each axis, made
of the index and the axis's size, modulo 1: equal under any permutation of axes, the same with and without axes of
size 1. Sums are of integers, which do not round. They are spread as random numbers are, so that the rate of a dropout
holds; but two tensors of one shape get the same numbers in one step, and one that has two axes of equal size gets a
symmetric pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

_BITS = 20  # few enough that float32 holds every number, and that none equals a rate that has been rounded to float32


class Clock:
    """Which step it is; None while random numbers are the frameworks' own."""

    step: int | None = None

    @contextmanager
    def at(self, step: int) -> Iterator[None]:
        before, self.step = self.step, step
        try:
            yield
        finally:
            self.step = before


clock = Clock()
"""Both workers' stand-ins for random functions look here; one process runs one program at a time."""


def uniform(shape: Sequence[int], step: int, stream: int = 0) -> Floats:
    """Numbers between 0 and 1, both excluded, of that shape."""
    total = _mixed(np.uint64(step * 8 + stream), np.uint64(0))[0]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        terms = _mixed(np.arange(size, dtype=np.uint64), np.uint64((int(size) << 3) + stream + 1))
        total = total + terms.reshape([-1 if other == axis else 1 for other in range(len(shape))])
    high: Any = np.broadcast_to(total, tuple(shape)) >> np.uint64(64 - _BITS)
    result: Floats = (high.astype(np.float64) + 0.5) / 2**_BITS
    return result


def normal(shape: Sequence[int], step: int) -> Floats:
    """Standard normal numbers of that shape."""
    radius: Floats = np.sqrt(-2 * np.log(uniform(shape, step, 1)))
    result: Floats = radius * np.cos(2 * np.pi * uniform(shape, step, 2))
    return result


def kept(shape: Sequence[int], rate: float, step: int) -> npt.NDArray[np.bool_]:
    """Where a dropout of that rate keeps what it gets."""
    result: npt.NDArray[np.bool_] = uniform(shape, step) >= rate
    return result


def _mixed(number: Any, salt: Any) -> Any:
    """64 bits that look random (the finalizer of splitmix64)."""
    with np.errstate(over="ignore"):
        mixed = np.atleast_1d(number) * np.uint64(0x9E3779B97F4A7C15) + salt * np.uint64(0xD1B54A32D192ED03)
        mixed = mixed + np.uint64(0x632BE59BD9B4E019)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
