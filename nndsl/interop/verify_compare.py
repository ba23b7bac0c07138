"""Compares what both programs have found: one row of the table of `nndsl verify` for each check and float type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.interop.workers import Answer

Array: TypeAlias = npt.NDArray[Any]

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

GROUPS = ("outputs", "free sizes", "masks", "extreme values")


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


def rows(request: Mapping[str, Any], torch: Answer, keras: Answer) -> list[Row]:
    """Every check of every float type, in the order of the request."""
    sides = _Sides(torch, keras)
    found: list[Row] = []
    for spec in request["floats"]:
        dtype = spec["float"]
        broken = next((row for part in ("build", "put") if (row := sides.broken("building", dtype, part))), None)
        if broken is not None:
            found.append(broken)
            continue
        for group in GROUPS:
            names = [name for name, its in request["cases"].items() if its == group]
            if names:
                found.append(_outputs(sides, dtype, group, names))
        if request["evaluate"]:
            found.append(_numbers(sides, dtype, request["losses"]))
        found.append(_gradients(sides, dtype))
        if request["train"]:
            found += _training(sides, dtype, request["losses"], 1e-4 if request["train"]["printed"] else 0.0)
    return found


class _Sides:
    """Both answers."""

    def __init__(self, torch: Answer, keras: Answer) -> None:
        self.torch, self.keras = torch, keras

    def broken(self, check: str, dtype: str, *parts: str) -> Row | None:
        """The row of a check one of whose parts was not done by a program."""
        for part in parts:
            found = {"PyTorch": self.torch.data[dtype][part], "Keras": self.keras.data[dtype][part]}
            for name, state in found.items():
                if "not_run" in state:
                    return Row(check, dtype, "not run", note=f"{name}: {state['not_run']}")
            errors = [f"{name}: {state['error']}" for name, state in found.items() if "error" in state]
            if errors:
                case = part.partition("|")[2]
                return Row(check, dtype, "failed", note="; ".join(errors) + (f" ({case})" if case else ""))
        return None

    def done(self, dtype: str, part: str) -> tuple[Any, Any]:
        return self.torch.data[dtype][part]["done"], self.keras.data[dtype][part]["done"]

    def arrays(self, dtype: str, label: str) -> tuple[dict[str, Array], dict[str, Array]]:
        start = f"{dtype}|{label}|"
        torch, keras = (
            {name[len(start) :]: array for name, array in side.arrays.items() if name.startswith(start)}
            for side in (self.torch, self.keras)
        )
        return torch, keras

    def exact(self, dtype: str, label: str) -> dict[str, Array]:
        """What Keras finds in float64, to tell rounding in float32."""
        return self.arrays("float64", label)[1] if dtype == "float32" else {}


def _outputs(sides: _Sides, dtype: str, group: str, names: Sequence[str]) -> Row:
    row = sides.broken(group, dtype, *(f"outputs|{name}" for name in names))
    if row is not None:
        return row
    found: list[Difference] = []
    for name in names:
        torch, keras = sides.arrays(dtype, f"outputs|{name}")
        exact = sides.exact(dtype, f"outputs|{name}")
        found += _compare(torch, keras, exact, dtype, lambda key, name=name: f"`{key}`, {name}", together=False)
    return _row(group, dtype, found)


BATCH_MEANS = (
    "Keras 3.15 averages the loss of a single output over batches, not over samples (trainers/compile_utils.py takes "
    "the size of a batch from a static shape); where the last batch is smaller these are left out: "
)


def _numbers(sides: _Sides, dtype: str, losses: Sequence[str]) -> Row:
    check = "losses and metrics"
    row = sides.broken(check, dtype, "evaluate")
    if row is not None:
        return row
    torch, keras = sides.done(dtype, "evaluate")
    exact: dict[str, Any] = {}
    if dtype == "float32":
        exact = sides.keras.data.get("float64", {}).get("evaluate", {}).get("done", {})
    found: list[Difference] = []
    for label in torch:
        left_out = losses if label == "partial" else ()
        ours = {name: value for name, value in torch[label].items() if name not in left_out}
        differences = _compare_numbers(ours, keras[label], exact.get(label, {}), dtype, TOLERANCE[dtype])
        found += [replace(d, name=f"{d.name}, {_BATCHES[label]}") for d in differences]
    return _row(check, dtype, found)


_BATCHES = {"whole": "whole batches", "partial": "a smaller last batch"}


def _compare_numbers(
    torch: Mapping[str, Any], keras: Mapping[str, Any], exact: Mapping[str, Any], dtype: str, tolerance: float
) -> list[Difference]:
    # Keras names the loss of an only output too; what torch reports it must report.
    both = {name: np.asarray(keras[name]) for name in torch if name in keras}
    given = {name: np.asarray(value) for name, value in torch.items()}
    sure = {name: np.asarray(value) for name, value in exact.items()}
    return _compare(given, both, sure, dtype, lambda name: f"`{name}`", together=False, tolerance=tolerance)


def _gradients(sides: _Sides, dtype: str) -> Row:
    row = sides.broken("gradients", dtype, "gradients")
    if row is not None:
        return row
    pairs: tuple[dict[str, Array], dict[str, Array], dict[str, Array]] = {}, {}, {}
    for kind in ("weight", "input"):
        label = f"gradients|{kind}"
        for into, arrays in zip(pairs, (*sides.arrays(dtype, label), sides.exact(dtype, label)), strict=True):
            into |= {f"`{name}`" if kind == "weight" else f"input `{name}`": x for name, x in arrays.items()}
    torch, keras, exact = pairs
    for name in {**torch, **keras}:  # a gradient that a program leaves out is zero
        torch.setdefault(name, np.zeros_like(keras.get(name, 0.0)))
        keras.setdefault(name, np.zeros_like(torch[name]))
    found = _compare(torch, keras, exact, dtype, str, together=True)
    ours, theirs = ({"the loss": np.asarray(value)} for value in sides.done(dtype, "gradients"))
    return _row("gradients", dtype, [*found, *_compare(ours, theirs, {}, dtype, str, together=False)])


def _training(sides: _Sides, dtype: str, losses: Sequence[str], rounded: float) -> list[Row]:
    row = sides.broken("training", dtype, "train")
    if row is not None:
        return [row]
    torch, keras = sides.done(dtype, "train")
    exact = sides.keras.data["float64"].get("train", {}).get("done") if "float64" in sides.keras.data else None
    found = [_curve(torch["curve"], keras["curve"], exact["curve"] if exact else [], dtype)]
    if dtype == "float64":
        found.append(_epochs(torch["epochs"], keras["epochs"], dtype, losses, rounded))
        ours, theirs = sides.arrays(dtype, "weights|")
        differences = _compare(ours, theirs, {}, dtype, lambda name: f"`{name}`", together=False, weights=True)
        found.append(_row("weights after training", dtype, differences))
    return found


def _curve(torch: list[float], keras: list[float], exact: list[float], dtype: str) -> Row:
    check = "loss of each step"
    if len(torch) != len(keras):
        return Row(check, dtype, "failed", note=f"PyTorch took {len(torch)} steps, Keras {len(keras)}")
    scale = max([abs(x) for x in keras if np.isfinite(x)], default=0.0) or 1.0
    found = []
    for number, (a, b) in enumerate(zip(torch, keras, strict=True)):
        limit = (EARLY if dtype == "float32" and number < EARLY_STEPS else CURVE[dtype]) * scale
        if dtype == "float32" and number < len(exact):
            limit = max(limit, ROUNDING * abs(exact[number] - b))
        distance = 0.0 if a == b or (np.isnan(a) and np.isnan(b)) else abs(a - b)
        distance = float("inf") if np.isnan(distance) else distance
        found.append(Difference(f"step {number + 1}", distance, distance / scale, limit, scale))
    row = _row(check, dtype, found)
    lost = next((number for number, value in enumerate(keras) if not np.isfinite(value)), None)
    if lost is not None and row.status == "ok":
        row.note = f"the loss is {keras[lost]} from step {lost + 1} on, in both programs"
    return row


def _epochs(
    torch: list[dict[str, float]], keras: list[dict[str, float]], dtype: str, losses: Sequence[str], rounded: float
) -> Row:
    """`rounded`: how far numbers may be apart that were read from what a program printed."""
    check = "reports of training"
    if len(torch) != len(keras):
        return Row(check, dtype, "failed", note=f"PyTorch reports {len(torch)} times, Keras {len(keras)}")
    found: list[Difference] = []
    for number, (a, b) in enumerate(zip(torch, keras, strict=True)):
        ours = {name: value for name, value in a.items() if name.removeprefix("val_") not in losses}
        differences = _compare_numbers(ours, b, {}, dtype, CURVE[dtype])
        said = [replace(d, name=f"{d.name}, report {number + 1}") for d in differences]
        found += [replace(d, limit=max(d.limit, rounded)) for d in said]
    return _row(check, dtype, found)


def _row(check: str, dtype: str, differences: list[Difference]) -> Row:
    ordered = sorted(differences, key=lambda d: (-_excess(d), d.name))
    return Row(check, dtype, "ok" if all(d.holds for d in ordered) else "failed", ordered)


def _excess(difference: Difference) -> float:
    return difference.absolute / difference.limit if difference.limit else float(difference.absolute > 0)


def _compare(
    torch: Mapping[str, Array],
    keras: Mapping[str, Array],
    exact: Mapping[str, Array],
    dtype: str,
    title: Any,
    *,
    together: bool,
    weights: bool = False,
    tolerance: float | None = None,
) -> list[Difference]:
    """Arrays of both sides by name. `together`: they are parts of one result, so that what is far smaller than the
    largest of them is round-off."""
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
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(same, 0.0, np.abs(x - y))
    apart = np.where(np.isnan(apart), np.inf, apart)
    place = np.unravel_index(int(np.argmax(apart)), apart.shape)
    return float(apart[place]), tuple(int(i) for i in place)


def summary(found: Iterable[Row]) -> tuple[int, int, int]:
    """How many checks hold, are broken, were not run."""
    states = [row.status for row in found]
    return states.count("ok"), states.count("failed"), states.count("not run")
