"""`metrics.json`: the results on held-out data, by part of the data and by output."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Any, Protocol

from nndsl.files import write_text


class OutputNumbers(Protocol):
    """What `nndsl.runtime.tally.OutputResult` is, so that this room needs no torch."""

    @property
    def name(self) -> str: ...
    @property
    def loss(self) -> float: ...
    @property
    def weight(self) -> float: ...
    @property
    def weighted(self) -> float: ...
    @property
    def metrics(self) -> dict[str, float]: ...


class Numbers(Protocol):
    """What `nndsl.runtime.tally.Result` is."""

    @property
    def loss(self) -> float: ...
    @property
    def outputs(self) -> Sequence[OutputNumbers]: ...
    @property
    def samples(self) -> int: ...
    @property
    def penalties(self) -> float: ...


def metrics_of(results: Mapping[str, Numbers | Sequence[Numbers]]) -> dict[str, Any]:
    """What stands in the file. `results` has a result for `test` or `validation`, and under `cross_validation` those
    of its parts, which get mean and deviation (of all, as numpy.std)::

        {"test": {"samples": 360, "loss": 0.1, "penalties": 0.0,
                  "outputs": {"label": {"loss": 0.1, "weight": 1.0, "weighted_loss": 0.1,
                                        "metrics": {"accuracy": 0.97}}}},
         "cross_validation": {"parts": [{…}, …], "mean": {"label": {"loss": 0.1, "accuracy": 0.97}}, "deviation": {…}}}
    """
    found: dict[str, Any] = {}
    for part, result in results.items():
        if isinstance(result, Sequence):
            parts = [_result(each) for each in result]
            found[part] = {"parts": parts, **_mean_and_deviation(parts)}
        else:
            found[part] = _result(result)
    return found


def write_metrics(path: str, results: Mapping[str, Numbers | Sequence[Numbers]]) -> None:
    """Writes `metrics_of(results)`, whole or not at all. JSON knows no infinity: what is no finite number is null.
    Raises nndsl.files.CannotWrite."""
    write_text(path, json.dumps(_finite(metrics_of(results)), indent=2, allow_nan=False) + "\n")


def _result(result: Numbers) -> dict[str, Any]:
    outputs = {
        output.name: {
            "loss": float(output.loss),
            "weight": float(output.weight),
            "weighted_loss": float(output.weighted),
            "metrics": {name: float(value) for name, value in output.metrics.items()},
        }
        for output in result.outputs
    }
    return {
        "samples": int(result.samples),
        "loss": float(result.loss),
        "penalties": float(result.penalties),
        "outputs": outputs,
    }


def _mean_and_deviation(parts: list[dict[str, Any]]) -> dict[str, Any]:
    columns: dict[str, dict[str, list[float]]] = {}
    for part in parts:
        for name, output in part["outputs"].items():
            for label, value in {"loss": output["loss"], **output["metrics"]}.items():
                columns.setdefault(name, {}).setdefault(label, []).append(value)

    def each(rule: Any) -> dict[str, dict[str, float]]:
        return {
            name: {label: _safe(rule, values) for label, values in numbers.items()} for name, numbers in columns.items()
        }

    return {"mean": each(fmean), "deviation": each(pstdev)}


def _safe(rule: Any, values: Iterable[float]) -> float:
    numbers = list(values)
    return float(rule(numbers)) if all(map(math.isfinite, numbers)) else math.nan


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
