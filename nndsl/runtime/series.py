"""Samples of a series: windows, earlier and later values, and how the lines of a section come to speak of one time.

Every step here counts rows by the time that a sample stands for: row t has the window that ends with t, the values
before t, or the one after it. A line loses `reach` rows at its beginning and end; what other lines lose is cut off it
by `cuts`, so that the same row of all lines belongs to the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.runtime.transforms import Array, Step, StepError, step

Rows: TypeAlias = npt.NDArray[np.intp]


class SeriesStep(Step):
    """Base: a sample is made of the rows at `offsets` from the first row that it takes in."""

    changes_rows = True
    before = 0
    after = 0

    @property
    def offsets(self) -> Rows:
        raise NotImplementedError

    @property
    def reach(self) -> tuple[int, int]:
        return self.before, self.after

    def rows(self, count: int) -> int:
        return max(count - self.before - self.after, 0)

    def reads(self, rows: Rows) -> Rows:
        # one offset after the other: a window has as many as a million
        wanted = np.zeros(int(rows.max()) + self.before + self.after + 1 if len(rows) else 0, bool)
        for offset in self.offsets:
            wanted[rows + offset] = True
        return np.flatnonzero(wanted)

    def refuse_short(self, values: Array) -> None:
        """Raises StepError where no sample comes of the rows."""
        if self.rows(len(values)) == 0:
            have = f"{len(values):,} row{'' if len(values) == 1 else 's'}"
            raise StepError(
                f"has {have}, and `{self.spelled}` needs at least {self.before + self.after + 1:,}",
                help="give more rows, or reach less far", code="NN0605",
            )  # fmt: skip

    def origin(self, index: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        return np.array([index[0] + self.before + self.after, *index[1:]])

    @property
    def spelled(self) -> str:
        return self.name


@step
class WindowStep(SeriesStep):
    name = "window"

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.length, self.every = _count(settings["length"]), _count(settings["sampling_rate"])
        self.stride = _count(settings["stride"])
        self.before = (self.length - 1) * self.every

    @property
    def spelled(self) -> str:
        return f"window({self.length})"

    @property
    def offsets(self) -> Rows:
        return np.arange(self.length) * self.every

    def across(self, values: Array) -> Array:
        """[rows, …] → [rows - before, length, …]"""
        self.refuse_short(values)
        view = np.lib.stride_tricks.sliding_window_view(values, self.before + 1, axis=0)
        return np.moveaxis(view[..., :: self.every], -1, 1)

    def origin(self, index: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        at = index[1] if len(index) > 1 else 0
        return np.array([index[0] + at * self.every, *index[2:]])

    def record(self) -> dict[str, Any]:
        return {"length": self.length, "stride": self.stride, "sampling_rate": self.every}


@step
class LagsStep(SeriesStep):
    name = "lags"

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        lags = settings["lags"]
        self.lags = list(range(1, _count(lags) + 1)) if isinstance(lags, int) else [_count(lag) for lag in lags]
        self.before = max(self.lags)
        self.width = 0  # how many columns there are, 0 for one without an axis of its own

    @property
    def spelled(self) -> str:
        return f"lags({self.before})"

    @property
    def offsets(self) -> Rows:
        return self.before - np.array(self.lags)

    def across(self, values: Array) -> Array:
        """[rows] or [rows, n] → [rows - before, lags * n]"""
        if values.ndim > 2:
            raise StepError(
                f"has rows of {values.ndim - 1} axes, and `lags` takes one", help="`window` keeps them", code="NN0605"
            )
        self.refuse_short(values)
        rows = self.rows(len(values))
        columns = values.reshape(len(values), -1)
        self.width = columns.shape[1] if values.ndim > 1 else 0
        return np.concatenate([columns[offset : offset + rows] for offset in self.offsets], axis=1)

    def origin(self, index: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        lag, column = divmod(int(index[1]) if len(index) > 1 else 0, max(self.width, 1))
        row = index[0] + self.before - self.lags[lag]
        return np.array([row, column] if self.width else [row])

    def record(self) -> dict[str, Any]:
        return {"lags": self.lags}


@step
class AheadStep(SeriesStep):
    name = "ahead"

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.after = _count(settings["rows"])

    @property
    def spelled(self) -> str:
        return f"ahead({self.after})"

    @property
    def offsets(self) -> Rows:
        return np.array([self.after])

    def across(self, values: Array) -> Array:
        """[rows, …] → [rows - after, …]"""
        self.refuse_short(values)
        return values[self.after :]

    def record(self) -> dict[str, Any]:
        return {"rows": self.after}


class Cut(SeriesStep):
    """What the other lines of the section cut off a line: its first `before` and last `after` rows, and all but every
    `stride`-th of the rest. It is planned for the lines that are there, and stands in no record."""

    name = "cut"
    planned = True

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__({}, "float32")
        self.before, self.after, self.stride = before, after, stride

    def rows(self, count: int) -> int:
        return -(-super().rows(count) // self.stride)

    def reads(self, rows: Rows) -> Rows:
        return rows * self.stride + self.before

    def origin(self, index: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        return np.array([index[0] * self.stride + self.before, *index[1:]])

    def across(self, values: Array) -> Array:
        """[rows, …] → [(rows - before - after) / stride, …]"""
        self.refuse_short(values)
        return values[self.before : len(values) - self.after : self.stride]

    @property
    def spelled(self) -> str:
        return "the longest reach of the section"


def reach_of(steps: Sequence[Step]) -> tuple[int, int]:
    """How many rows before and after its own a sample of these steps takes in."""
    reaches = [item.reach for item in steps if isinstance(item, SeriesStep)]
    return sum(before for before, _ in reaches), sum(after for _, after in reaches)


def line_up(lines: Mapping[str, list[Step]]) -> tuple[int, int] | None:
    """Puts into each line what the others cut off it, behind its last step that joins rows. A sample then takes in so
    many rows, and the next begins so many later; None, and nothing is put in, where no line joins rows."""
    if not any(isinstance(item, SeriesStep) for steps in lines.values() for item in steps):
        return None
    reaches = {name: reach_of(steps) for name, steps in lines.items()}
    before, after = (max(reach[side] for reach in reaches.values()) for side in (0, 1))
    stride = max(item.stride for steps in lines.values() for item in steps)
    for name, steps in lines.items():
        place = max((number for number, item in enumerate(steps, 1) if isinstance(item, SeriesStep)), default=0)
        steps.insert(place, Cut(before - reaches[name][0], after - reaches[name][1], stride))
    return before + 1 + after, stride


def inside(first: int, last: int, span: int, stride: int) -> Rows:
    """The samples whose rows all lie in `first` … `last` - 1 of the series; sample i has `span` rows from i * `stride`
    on."""
    return np.arange(-(-first // stride), max((last - span) // stride + 1, -(-first // stride)))


def _count(value: Any) -> int:
    """A count of rows out of a record. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1_000_000:
        raise ValueError("not a count of rows")
    return value
