"""`nndsl data`: what was read, in numbers: parts, ranges, missing values, classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.runtime.columns import CHUNK_BYTES, Column, per_chunk
from nndsl.runtime.dataset import Dataset
from nndsl.runtime.parts import Part
from nndsl.runtime.slots import WEIGHTS

Array: TypeAlias = npt.NDArray[Any]

MOST_CLASSES = 1000
"""More different values are no classes, but numbers."""


@dataclass
class Look:
    """What there is to say of one input, target or array of weights. `dtype` is that of the source and of the model;
    `raw` is (low, high) before the transforms."""

    name: str
    what: str
    source: str
    shape: tuple[int, ...]
    dtype: str
    model_dtype: str
    rows: int = 0
    low: float = float("nan")
    high: float = float("nan")
    mean: float = float("nan")
    deviation: float = float("nan")
    zeros: float = 0.0
    raw: tuple[float, float] | None = None
    missing: int = 0
    transforms: list[str] = field(default_factory=list)
    vocabulary: int | None = None  # ids that the Embedding takes
    used: int | None = None  # different ids that there are
    classes: dict[str, dict[str, int]] = field(default_factory=dict)  # by part, by class: how many rows


@dataclass
class Overview:
    """All of it. `parts` are rows by part."""

    model: str
    sources: list[str]
    parts: dict[str, int]
    resident: bool
    nbytes: int
    columns: list[Look]


def _kind(values: Array) -> str:
    """What the source gave: the dtype of its numbers, or words for what they are."""
    return {"T": "text", "O": "lists"}.get(values.dtype.kind, str(values.dtype))


@np.errstate(over="ignore", invalid="ignore")  # of wrong data, which are shown as they are
def look_at(dataset: Dataset) -> Overview:
    """Goes through all rows of the prepared data once, a bounded number at a time."""
    parts = {"training": dataset.train, "validation": dataset.validation, "test": dataset.test}
    parts = {name: part for name, part in parts.items() if len(part)}
    looks = [_look(name, column, parts, dataset) for name, column in dataset.columns.items()]
    sources = list(dict.fromkeys(c.filled.source.shown for part in parts.values() for c in part.columns.values()))
    return Overview(
        dataset.model.name,
        sources,
        {name: len(part) for name, part in parts.items()},
        all(part.resident for part in parts.values()),
        sum(part.nbytes for part in parts.values()),
        looks,
    )


def _look(name: str, column: Column, parts: dict[str, Part], dataset: Dataset) -> Look:
    filled, slot = column.filled, column.slot
    found = Look(
        name, "target" if slot.what == "output" else "weights" if slot.what == WEIGHTS else slot.what,
        filled.what, column.row, _kind(filled.values), str(column.dtype),
        transforms=[step.name for step in column.steps if not step.planned],
    )  # fmt: skip
    found.rows = sum(map(len, parts.values()))
    if column.dtype.kind not in "biuf":
        return found
    numbers, ids = _Numbers(), _Counts(slot.ids[0]) if slot.ids is not None else None
    balance = {part: _Counts(MOST_CLASSES) for part in parts} if slot.what == "output" else {}
    for part_name, values in _pieces(parts, name):
        numbers.add(values)
        if ids is not None:
            ids.add(values)
        if part_name in balance:
            labels = _labels(values, slot.classes is not None or slot.loss.startswith("binary"), slot.loss)
            if labels is None:
                balance.clear()
            else:
                balance[part_name].add(labels)
    found.low, found.high, found.zeros = numbers.low, numbers.high, numbers.share
    found.mean, found.deviation, found.missing = numbers.mean, numbers.deviation, numbers.missing
    if column.steps and filled.values.dtype.kind in "biuf":
        found.raw = _range(filled.values)
    if ids is not None and slot.ids is not None:
        found.vocabulary, found.used = slot.ids[0], len(ids.counts)
    if balance and not any(counts.too_many for counts in balance.values()):
        names = dataset.classes.get(name, [])
        found.classes = {
            part: {_name(key, names): count for key, count in sorted(counts.counts.items())}
            for part, counts in balance.items()
        }
    return found


def _pieces(parts: dict[str, Part], name: str) -> Iterator[tuple[str, Array]]:
    for part_name, part in parts.items():
        column = part.columns[name]
        count = max(CHUNK_BYTES // max(column.row_bytes, 1), 1)
        for start in range(0, len(part), count):
            yield part_name, column.take(part.rows[start : start + count])


def _range(values: Array) -> tuple[float, float]:
    """The smallest and the largest number as the source gives them."""
    count = per_chunk(values, CHUNK_BYTES)
    low, high = float("inf"), float("-inf")
    for start in range(0, len(values), count):
        piece = values[start : start + count]
        low, high = min(low, float(piece.min())), max(high, float(piece.max()))
    return low, high


def _labels(values: Array, has_classes: bool, loss: str) -> Array | None:
    """The class of each row or step, where the target has classes."""
    if loss.startswith("categorical") and values.ndim > 1 and values.shape[-1] > 1:
        labels: Array = values.argmax(-1).reshape(-1)
        return labels
    if not has_classes or not ((values == np.floor(values)) & (np.abs(values) < 2**53)).all():
        return None  # missing and infinite values too
    return values.reshape(-1).astype(np.int64)


def _name(key: int, names: list[str]) -> str:
    return names[key] if 0 <= key < len(names) else str(key)


class _Numbers:
    """Count, range, mean and deviation of all numbers, gathered in float64."""

    def __init__(self) -> None:
        self.count = self.zeros = self.missing = 0
        self.low, self.high = float("nan"), float("nan")
        self.mean = self._squares = 0.0

    def add(self, values: Array) -> None:
        finite = values if values.dtype.kind != "f" else values[np.isfinite(values)]
        self.missing += values.size - finite.size
        if not finite.size:
            return
        low, high = float(finite.min()), float(finite.max())
        self.low, self.high = np.fmin(self.low, low), np.fmax(self.high, high)
        self.zeros += int(np.count_nonzero(finite == 0))
        mean, spread = float(finite.mean(dtype=np.float64)), float(finite.var(dtype=np.float64))
        total, apart = self.count + finite.size, mean - self.mean
        self._squares += spread * finite.size + apart * apart * self.count * finite.size / total
        self.mean += apart * finite.size / total
        self.count = total

    @property
    def deviation(self) -> float:
        return sqrt(self._squares / self.count) if self.count else float("nan")

    @property
    def share(self) -> float:
        return self.zeros / self.count if self.count else 0.0


class _Counts:
    """How often each integer occurs, as long as they are at most `most`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.counts: dict[int, int] = {}
        self.too_many = False

    def add(self, values: Array) -> None:
        if self.too_many:
            return
        if values.dtype.kind == "f":  # ids that are wrong, as they were read
            values = values[np.isfinite(values)]
        for key, count in zip(*np.unique(values, return_counts=True), strict=True):
            self.counts[int(key)] = self.counts.get(int(key), 0) + int(count)
        self.too_many = len(self.counts) > self.most
