"""How far apart arrays may be, and how far apart they are: what a row of the table of `nndsl verify` is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nndsl.interop.contents import Array, apart

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
"""Of outputs, losses, metrics and gradients, relative to the largest magnitude of each array."""
WEIGHTS = 1e-9
"""Of the weights after training in float64, relative to the largest magnitude of each weight, at least 1."""
CURVE = {"float32": 1e-2, "float64": 1e-9}
"""Of the loss of each step, relative to the largest loss."""
EARLY = 1e-4
"""Of the losses of the first steps in float32."""
EARLY_STEPS = 5
FLOOR = 1e-3
"""Arrays smaller than this, or than this part of the largest array of the same check, count as so large."""
ROUNDING = 10
"""How many times as far as Keras's own float32 is from its own float64 both programs may be apart in float32."""
KINKS = 2
"""The same for PyTorch's own, of gradients: these jump where a number within round-off of zero meets a ReLU, and each
program rounds in its own way. If both are right in float64, they are no further apart than this in float32."""


@dataclass(frozen=True)
class Difference:
    """How far apart two arrays are. `place` is where in the array, `limit` how far they may be."""

    name: str
    absolute: float
    relative: float
    limit: float
    scale: float
    place: tuple[int, ...] = ()
    note: str = ""

    @property
    def holds(self) -> bool:
        return self.absolute <= self.limit


@dataclass
class Row:
    """A line of the table. `status` is "ok", "failed" or "not run"; `differences` are all that were compared, the
    worst first."""

    check: str
    dtype: str
    status: str = "ok"
    differences: list[Difference] = field(default_factory=list)
    note: str = ""

    @property
    def worst(self) -> Difference | None:
        return self.differences[0] if self.differences else None

    @property
    def failures(self) -> list[Difference]:
        return [difference for difference in self.differences if not difference.holds]


def row_of(check: str, dtype: str, differences: list[Difference]) -> Row:
    ordered = sorted(differences, key=lambda d: (-_excess(d), d.name))
    return Row(check, dtype, "ok" if all(d.holds for d in ordered) else "failed", ordered)


def _excess(difference: Difference) -> float:
    return difference.absolute / difference.limit if difference.limit else float(difference.absolute > 0)


def compare(
    torch: Mapping[str, Array],
    keras: Mapping[str, Array],
    exact: Mapping[str, Array],
    dtype: str,
    title: Any,
    *,
    together: bool,
    weights: bool = False,
    tolerance: float | None = None,
    own: Mapping[str, Array] | None = None,
) -> list[Difference]:
    """Arrays of both sides by name. `together`: they are parts of one result, so that what is far smaller than the
    largest of them is round-off. `exact` is what Keras finds in float64, `own` what PyTorch does, where it counts."""
    largest = max([_size(array) for array in keras.values()], default=0.0) if together else 0.0
    found = []
    for name in {**torch, **keras}:
        if name not in torch or name not in keras:
            side = "Keras" if name in keras else "PyTorch"
            found.append(_wrong(title(name), f"only {side} has it"))
            continue
        ours, theirs = torch[name], keras[name]
        if ours.shape != theirs.shape:
            found.append(_wrong(title(name), f"PyTorch's shape is {[*ours.shape]}, Keras's {[*theirs.shape]}"))
            continue
        if ours.dtype != theirs.dtype:
            found.append(_wrong(title(name), f"PyTorch's type is {ours.dtype}, Keras's {theirs.dtype}"))
            continue
        if weights:
            scale = max(_size(theirs), 1.0)
            limit = WEIGHTS * scale
        else:
            scale = max(_size(theirs), FLOOR, FLOOR * largest)
            limit = (TOLERANCE[dtype] if tolerance is None else tolerance) * scale
        sure = exact.get(name)
        if sure is not None and sure.shape == theirs.shape:
            limit = max(limit, ROUNDING * _distance(theirs, sure)[0])
        near = own.get(name) if own else None
        if near is not None and near.shape == ours.shape:
            limit = max(limit, KINKS * _distance(ours, near)[0])
        distance, place = _distance(ours, theirs)
        note = "NaN or infinite in one program alone" if distance == float("inf") else ""
        found.append(Difference(title(name), distance, distance / scale, limit, scale, place, note))
    return found


def _wrong(name: str, note: str) -> Difference:
    return Difference(name, float("inf"), float("inf"), 0.0, 1.0, (), note)


def _size(array: Array) -> float:
    values = np.abs(array.astype(np.float64))
    return float(values[np.isfinite(values)].max(initial=0.0))


def _distance(a: Array, b: Array) -> tuple[float, tuple[int, ...]]:
    """The largest difference and its place; infinite where one is NaN or infinite and the other is not the same."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    if x.size == 0:
        return 0.0, ()
    gap = apart(x, y)
    place = np.unravel_index(int(np.argmax(gap)), gap.shape)
    return float(gap[place]), tuple(int(i) for i in place)


def summary(found: Iterable[Row]) -> tuple[int, int, int]:
    """How many checks hold, are broken, were not run."""
    states = [row.status for row in found]
    return states.count("ok"), states.count("failed"), states.count("not run")
