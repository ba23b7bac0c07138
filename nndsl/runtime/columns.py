"""What fills one slot, transformed and checked: kept in the memory where all data are small, else made when taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.runtime.checks import Filled
from nndsl.runtime.report import DataProblem, RunFailed
from nndsl.runtime.scratch import Growing
from nndsl.runtime.transforms import Step, StepError, record_of, step_of
from nndsl.runtime.values import ValueCheck, all_finite, missing_values

Array: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = npt.NDArray[np.intp]

CHUNK_BYTES = 16 * 2**20
"""About how much a transform learns from at a time."""
LOOK_BYTES = 2**20
"""About how much is checked at a time: what fits into the processor's cache is gone through twice as fast."""
RESIDENT_BYTES = 2**30
"""How many bytes the prepared data may have to be kept in the memory."""


class Column:
    """The data of one slot on their way through `steps`, in the order of calls: `rows`; `learn`; `shape` and `dtype` of
    a row behind the steps, which `checks.check_shape` brings to the declared one (`row`); `finish`; `take`."""

    def __init__(self, filled: Filled, steps: Sequence[Step], float_dtype: str) -> None:
        self.filled, self.steps, self.slot = filled, list(steps), filled.slot
        last = max((place for place, step in enumerate(self.steps) if step.changes_rows), default=-1)
        self.early, self.late = self.steps[: last + 1], self.steps[last + 1 :]
        self.values = filled.values
        self.rows = len(filled.values)
        for step in self.early:
            self.rows = step.rows(self.rows)
        self.row: tuple[int, ...] = ()
        dtype = self.slot.type.dtype
        self.dtype = np.dtype("float32" if dtype in ("bfloat16", "float16") else dtype)
        self.checked: ValueCheck | None = None
        self._float_dtype = float_dtype
        self._ready: Array | None = None

    @property
    def resident(self) -> bool:
        return self._ready is not None

    @property
    def row_bytes(self) -> int:
        return prod(self.row) * self.dtype.itemsize

    @property
    def learns(self) -> bool:
        return any(step.learns for step in self.steps)

    def record(self) -> list[dict[str, Any]]:
        """What the steps have learnt, as JSON."""
        return [record_of(step) for step in self.steps if not step.planned]

    def class_names(self) -> list[str]:
        """The names of the classes whose ids it holds, by id; empty where the data have none."""
        found = next((step.class_names for step in self.steps if step.class_names), [])
        return list(found or self.filled.source.class_names(self.filled.key))

    # ------------------------------------------------------------------------------------- transforms

    def learn(self, train: Rows | None) -> None:
        """Goes through the steps that change rows, and lets those that learn do so from the rows `train` of the result
        (None: they know all they need). Raises DataProblem."""
        values = self.filled.values
        self._look_at_the_source()
        for place, step in enumerate(self.early):
            if train is not None and step.learns:
                read = train
                for later in reversed(self.early[place:]):
                    read = later.reads(read)
                self._teach(step, self._chunks(values, read, []))
            if step.changes_rows:
                try:
                    values = step.across(values)
                except StepError as error:
                    raise self.filled.step_problem(error) from None
            else:
                values = self._whole(step, values)
        self.values = values
        for place, step in enumerate(self.late):
            if train is not None and step.learns:
                self._teach(step, self._chunks(values, train, self.late[:place]))

    def _teach(self, step: Step, chunks: Iterator[Array]) -> None:
        try:
            with np.errstate(invalid="ignore", over="ignore"):
                step.learn(chunks)
        except StepError as error:
            raise self.filled.step_problem(error) from None

    def _look_at_the_source(self) -> None:
        """Missing values are told as they stand in the file: a transform would spread them over all rows."""
        values = self.filled.values
        if not self.steps or values.dtype.kind != "f":
            return
        missing, count = missing_values(), per_chunk(values, LOOK_BYTES)
        for start in range(0, len(values), count):
            piece = values[start : start + count]
            if not all_finite(piece):
                missing.look(piece, None, start)
        if missing.count:
            raise missing.problem(self.filled, missing.index, "")

    def _whole(self, step: Step, values: Array) -> Array:
        """A whole series behind a step: windows are cut from it later."""
        series = Growing(self.filled.what)
        for chunk in self._chunks(values, np.arange(len(values)), [step]):
            series.add(chunk)
        return series.done() if series.rows else step.apply(values)

    def _chunks(self, values: Array, rows: Rows, steps: Sequence[Step]) -> Iterator[Array]:
        count = per_chunk(values, CHUNK_BYTES)
        for start in range(0, len(rows), count):
            chosen = rows[start : start + count]
            yield self._through(values[in_a_row(chosen)], steps, chosen)

    def _through(self, values: Array, steps: Sequence[Step], rows: Rows | int) -> Array:
        """The values behind the steps; `rows` are their places in the data, or the first of them."""
        try:
            with np.errstate(invalid="ignore", over="ignore"):
                for step in steps:
                    values = step.apply(values)
        except StepError as error:
            if error.index is not None:
                row = int(rows[error.index[0]]) if not isinstance(rows, int) else rows + error.index[0]
                error.index = (row, *error.index[1:])
            raise self.problem_of(error) from None
        return values

    def sample(self) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and dtype of a row behind the steps. Raises DataProblem."""
        first = self._through(self.values[:1], self.late, 0)
        return first.shape[1:], first.dtype

    # ----------------------------------------------------------------------------------------- values

    def finish(self, *, keep: bool) -> None:
        """Checks all values; `keep` says that the prepared ones stay in the memory. What is found wrong is in
        `checked`. Raises DataProblem where a transform cannot take a value, MemoryError."""
        self.checked = ValueCheck(self)
        ready = np.empty((self.rows, *self.row), self.dtype) if keep else None
        count = min(per_chunk(self.values, LOOK_BYTES), max(LOOK_BYTES // max(self.row_bytes, 1), 1))
        with np.errstate(invalid="ignore", over="ignore"):  # what does not fit is reported
            for start in range(0, self.rows, count):
                piece = self._through(self.values[start : start + count], self.late, start)
                piece = piece.reshape(len(piece), *self.row)
                self.checked.look(piece, start)
                if ready is not None:
                    ready[start : start + count] = piece
        self._ready = ready

    def as_read(self) -> None:
        """Gives the transforms up: the data are wrong, and are shown as the source gives them."""
        self.steps, self.early, self.late = [], [], []
        self.values, self.row, self.dtype = self.filled.values, self.filled.values.shape[1:], self.filled.values.dtype
        self.checked, self._ready = None, self.values

    def take(self, rows: Rows | slice) -> Array:
        """The prepared rows [rows, …] in the dtype of the model: for a slice perhaps a view of what is kept. Raises
        RunFailed where the file was cut off meanwhile."""
        if self._ready is not None:
            return self._ready[rows]
        self.filled.source.guard()
        try:
            piece = self._through(self.values[rows], self.late, rows.start if isinstance(rows, slice) else rows)
        except DataProblem as problem:  # checked before: the file has changed since
            raise RunFailed.one(problem) from None
        result: Array = np.ascontiguousarray(piece.reshape(len(piece), *self.row), self.dtype)
        return result if result.flags.writeable else result.copy()

    # ----------------------------------------------------------------------------------------- places

    def series_index(self, index: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """The place in what the source gave of a value behind the steps."""
        for step in reversed(self.early):
            index = step.origin(index)
        return index

    def problem_of(self, error: StepError) -> DataProblem:
        if error.index is None or not self.early:
            return self.filled.step_problem(error)
        place = self.series_index(np.array(error.index))
        return self.filled.step_problem(StepError(error.message, tuple(int(i) for i in place), error.help, error.code))

    def anew(self) -> Column:
        """The same data with transforms that have learnt nothing yet."""
        fresh = iter([step_of(transform, self._float_dtype) for transform in self.filled.transforms])
        steps = [step if step.planned else next(fresh) for step in self.steps]
        return Column(self.filled, steps, self._float_dtype)


def in_a_row(rows: Rows) -> Rows | slice:
    """Rows that follow one another as a slice, which is taken without a copy; others as they are."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def per_chunk(values: Array, size: int) -> int:
    """How many rows are read at a time, for about `size` bytes."""
    return max(size // max(prod(values.shape[1:]) * max(values.dtype.itemsize, 4), 1), 1)
