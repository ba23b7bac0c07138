"""Compares what both programs have found: one row of the table of `nndsl verify` for each check and float type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nndsl.interop.contents import Array
from nndsl.interop.verify_compare import (
    CURVE,
    EARLY,
    EARLY_STEPS,
    ROUNDING,
    TOLERANCE,
    Difference,
    Row,
    compare,
    row_of,
)
from nndsl.interop.workers import Answer

TRAINING = ("loss of each step", "reports of training", "weights after training")
GROUPS = ("outputs", "free sizes", "masks", "extreme values")


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

    def exactly(self, dtype: str, part: str, nothing: Any) -> tuple[Any, Any]:
        """What both programs found in float64, to tell rounding in float32; `nothing` where there is no such answer."""
        answers = (side.data.get("float64", {}).get(part, {}) for side in (self.torch, self.keras))
        found = [answer.get("done", nothing) if dtype == "float32" else nothing for answer in answers]
        return found[0], found[1]

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
        found += compare(torch, keras, exact, dtype, lambda key, name=name: f"`{key}`, {name}", together=False)
    return row_of(group, dtype, found)


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
    return row_of(check, dtype, found)


_BATCHES = {"whole": "whole batches", "partial": "a smaller last batch"}


def _compare_numbers(
    torch: Mapping[str, Any], keras: Mapping[str, Any], exact: Mapping[str, Any], dtype: str, tolerance: float
) -> list[Difference]:
    # Keras names the loss of an only output too; what torch reports it must report.
    both = {name: np.asarray(keras[name]) for name in torch if name in keras}
    given = {name: np.asarray(value) for name, value in torch.items()}
    sure = {name: np.asarray(value) for name, value in exact.items()}
    return compare(given, both, sure, dtype, lambda name: f"`{name}`", together=False, tolerance=tolerance)


def _gradients(sides: _Sides, dtype: str) -> Row:
    row = sides.broken("gradients", dtype, "gradients")
    if row is not None:
        return row
    groups: tuple[dict[str, Array], ...] = {}, {}, {}, {}
    for kind in ("weight", "input"):
        label = f"gradients|{kind}"
        exactly = sides.arrays("float64", label) if dtype == "float32" else ({}, {})
        for into, arrays in zip(groups, (*sides.arrays(dtype, label), *exactly), strict=True):
            into |= {f"`{name}`" if kind == "weight" else f"input `{name}`": x for name, x in arrays.items()}
    torch, keras, own, exact = groups
    for name in {**torch, **keras}:  # a gradient that a program leaves out is zero
        torch.setdefault(name, np.zeros_like(keras.get(name, 0.0)))
        keras.setdefault(name, np.zeros_like(torch[name]))
    found = compare(torch, keras, exact, dtype, str, together=True, own=own)
    ours, theirs = ({"the loss": np.asarray(value)} for value in sides.done(dtype, "gradients"))
    own, exact = (
        {} if value is None else {"the loss": np.asarray(value)} for value in sides.exactly(dtype, "gradients", None)
    )
    return row_of("gradients", dtype, [*found, *compare(ours, theirs, exact, dtype, str, together=False, own=own)])


def _training(sides: _Sides, dtype: str, losses: Sequence[str], rounded: float) -> list[Row]:
    row = sides.broken("training", dtype, "train")
    if row is not None:
        return [row]
    torch, keras = sides.done(dtype, "train")
    again = torch.get("again", {"curve": [], "epochs": []})
    exact = [side["curve"] for side in sides.exactly(dtype, "train", {"curve": []})]
    found = [_curve(torch["curve"], keras["curve"], exact, again["curve"], dtype)]
    if dtype == "float64":
        found.append(_epochs(torch["epochs"], keras["epochs"], again["epochs"], dtype, losses, rounded))
        found.append(_weights(sides, dtype))
    return found


CHAOS = (
    "PyTorch itself ends up elsewhere when its weights differ in the last bit at the start ({how}), so no program "
    "can be held against it there; a smaller learning rate or larger inputs calm the training of a deep model"
)


def _weights(sides: _Sides, dtype: str) -> Row:
    check = TRAINING[2]
    ours, theirs = sides.arrays(dtype, "weights|")
    near = sides.arrays(dtype, "again|")[0]
    differences = compare(ours, theirs, {}, dtype, lambda name: f"`{name}`", together=False, weights=True)
    drifts = compare(near, ours, {}, dtype, lambda name: f"`{name}`", together=False, weights=True) if near else []
    worst = max(drifts, key=lambda d: d.relative, default=None)
    if worst is not None and ROUNDING * worst.absolute > worst.limit:
        how = f"by {worst.relative:.0e} in {worst.name}"
        return Row(check, dtype, "not run", note=CHAOS.format(how=how))
    return row_of(check, dtype, differences)


ROUGH = (
    "in float32 rounding alone leads {side} away from its own float64 ({how}), so the programs are compared in float64 "
    "from there on"
)


def _curve(torch: list[float], keras: list[float], exact: list[list[float]], again: list[float], dtype: str) -> Row:
    """In float64 only steps count that PyTorch itself takes alike after a change of the last bit (`again`), in float32
    those that both programs take as they do in float64 (`exact`)."""
    check = TRAINING[0]
    if len(torch) != len(keras):
        return Row(check, dtype, "failed", note=f"PyTorch took {len(torch)} steps, Keras {len(keras)}")
    scale = max([abs(x) for x in keras if np.isfinite(x)], default=0.0) or 1.0
    found, chaos = [], ""
    for number, (a, b) in enumerate(zip(torch, keras, strict=True)):
        limit = (EARLY if dtype == "float32" and number < EARLY_STEPS else CURVE[dtype]) * scale
        own = [abs(curve[number] - x) for curve, x in zip(exact, (a, b), strict=True) if number < len(curve)]
        drift = max([x for x in own if np.isfinite(x)], default=0.0)
        if ROUNDING * drift > CURVE["float32"] * scale:
            side = "PyTorch" if own[0] == drift else "Keras"
            chaos = ROUGH.format(side=side, how=f"by {drift / scale:.0e} in the loss of step {number + 1}")
            break
        limit = max(limit, ROUNDING * drift)
        if number < len(again) and np.isfinite(again[number] - a) and ROUNDING * abs(again[number] - a) > limit:
            chaos = CHAOS.format(how=f"by {abs(again[number] - a) / scale:.0e} in the loss of step {number + 1}")
            break
        distance = 0.0 if a == b or (np.isnan(a) and np.isnan(b)) else abs(a - b)
        distance = float("inf") if np.isnan(distance) else distance
        found.append(Difference(f"step {number + 1}", distance, distance / scale, limit, scale))
    if chaos and not found:
        return Row(check, dtype, "not run", note=chaos)
    row = row_of(check, dtype, found)
    if chaos:
        row.note = f"compared up to step {len(found)}: {chaos}"
        return row
    lost = next((number for number, value in enumerate(keras) if not np.isfinite(value)), None)
    if lost is not None and row.status == "ok":
        row.note = f"the loss is {keras[lost]} from step {lost + 1} on, in both programs"
    return row


def _epochs(
    torch: list[dict[str, float]],
    keras: list[dict[str, float]],
    again: list[dict[str, float]],
    dtype: str,
    losses: Sequence[str],
    rounded: float,
) -> Row:
    """`rounded`: how far numbers may be apart that were read from what a program printed. Reports count up to the
    first in which PyTorch differs from itself after a change of the last bit."""
    check = TRAINING[1]
    if len(torch) != len(keras):
        return Row(check, dtype, "failed", note=f"PyTorch reports {len(torch)} times, Keras {len(keras)}")
    found: list[Difference] = []
    chaos = ""
    for number, (a, b) in enumerate(zip(torch, keras, strict=True)):
        ours = {name: value for name, value in a.items() if name.removeprefix("val_") not in losses}
        if number < len(again):
            near = {name: again[number][name] for name in ours if name in again[number]}
            drifts = _compare_numbers(near, ours, {}, dtype, CURVE[dtype])
            drift = next((d for d in drifts if ROUNDING * d.absolute > max(d.limit, rounded)), None)
            if drift is not None:
                chaos = CHAOS.format(how=f"by {drift.relative:.0e} in {drift.name}, report {number + 1}")
                break
        for d in _compare_numbers(ours, b, {}, dtype, CURVE[dtype]):
            found.append(replace(d, name=f"{d.name}, report {number + 1}", limit=max(d.limit, rounded)))
    if chaos and not found:
        return Row(check, dtype, "not run", note=chaos)
    row = row_of(check, dtype, found)
    row.note = f"compared up to report {number}: {chaos}" if chaos else ""
    return row
