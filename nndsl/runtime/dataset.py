"""Checked data for training, validation and test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Diagnostic, Problems
from nndsl.ir.graph import Model
from nndsl.passes.train_checks import is_stateful
from nndsl.runtime import columns as limits
from nndsl.runtime.checks import Filled, check_rows, check_shape, check_sizes
from nndsl.runtime.columns import Column
from nndsl.runtime.filling import RANDOM, Filling, together
from nndsl.runtime.parts import Part
from nndsl.runtime.report import DataProblem, RunFailed, file_span
from nndsl.runtime.split import lined_up, split, whole_batches
from nndsl.runtime.suspicions import suspicions
from nndsl.runtime.transforms import Step, StepError, from_record, step_of

Array: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = npt.NDArray[np.intp]
Sizes: TypeAlias = dict[str, tuple[int, str, str]]


class Dataset:
    """Data in three parts, `train`, `validation` and `test`, by the names of inputs and outputs.

    `rows` is how many rows the data have, those in `others` apart; `learnt` what the transforms need to do the same to
    new data; `classes` the names of the classes of outputs whose data have them; `ordered` says that rows follow one
    another in time. `shown` is what messages call the data. Raises RunFailed.
    """

    def __init__(
        self, model: Model, filled: list[Filled], options: dict[str, Any], shown: str,
        others: Mapping[str, list[Filled]] | None = None, *, lenient: bool = False,
    ) -> None:  # fmt: skip
        """`others` are the parts that files of their own hold: `validation`, `test`. `lenient` gathers what is wrong
        with shapes and values in `problems`, and shows such data as they were read."""
        self.model, self.shown = model, shown
        self.problems = Problems()
        self._gathered = self.problems if lenient else None
        self.warnings: list[Diagnostic] = []
        self._sizes: Sizes = {}
        dtype = model.float_dtype
        lines = {item.slot.name: [step_of(t, dtype) for t in item.transforms] for item in filled}
        series = _one(partial(lined_up, filled, lines))
        columns = [Column(item, lines[item.slot.name], dtype) for item in filled]
        self.rows = _one(partial(check_rows, columns))
        if series is not None:
            _one(partial(_no_folds, model))
        self.ordered = is_stateful(model) or any(item.source.ordered for item in filled)
        last = max(item.source.last for item in filled)
        rows, self.notes = _one(
            lambda: split(
                model,
                self.rows,
                options,
                last=last,
                ordered=self.ordered,
                shown=shown,
                files=tuple(others or ()),
                series=series,
            )
        )
        self.columns = prepare(model, columns, self._sizes, rows[0], self._gathered)
        train, validation, test = (Part(self.columns, part) for part in rows)
        self.train, self.validation, self.test = train, validation, test
        for name, items in (others or {}).items():
            setattr(self, name, self._other(items))
        self.classes: dict[str, list[str]] = {}
        for item in filled:
            names = self.columns[item.slot.name].class_names()
            if item.slot.what == "output" and names:
                self.classes[item.slot.name] = names
        self.warnings += suspicions(model, self.columns)
        every = [*filled, *(item for items in (others or {}).values() for item in items)]
        for source in {id(item.source): item.source for item in every}.values():
            self.warnings += source.warnings

    def _other(self, filled: list[Filled]) -> Part:
        """A part with a file of its own: the transforms know from the training part what they need."""
        columns = [Column(item, self.columns[item.slot.name].steps, self.model.float_dtype) for item in filled]
        count = _one(partial(check_rows, columns))
        prepared = prepare(self.model, columns, self._sizes, None, self._gathered)
        (rows,), notes = whole_batches([np.arange(count)], self.model.batch)
        self.notes += notes
        return Part(prepared, rows)

    @property
    def learns(self) -> bool:
        """Whether a transform learns from the training part."""
        return any(column.learns for column in self.columns.values())

    @property
    def learnt(self) -> dict[str, list[dict[str, Any]]]:
        """What the transforms know, by the names of inputs and outputs, in the order of the file, as JSON."""
        return {name: record for name, column in self.columns.items() if (record := column.record())}

    def labels(self, rows: Rows) -> tuple[Array, list[str]] | None:
        """The class of each of the rows, and the names of the classes, where a source has such beside what it fills the
        model with."""
        for column in self.columns.values():
            item = column.filled
            found = item.source.labels(item.key, item.slot, item.span)
            if found is not None and found.ndim == 1 and len(found) == self.rows == column.rows:
                return found[rows], item.source.class_names("label")
        return None

    def with_folds(self, train: Rows, test: Rows) -> Dataset:
        """The same data with other parts, for cross-validation: rows of the data, as `part.rows` counts them. What
        transforms learn they learn from the new training part. Raises RunFailed."""
        fold = copy(self)
        if self.learns:
            fold._sizes = {}
            fresh = [column.anew() for column in self.columns.values()]
            fold.columns = prepare(self.model, fresh, fold._sizes, train)
        fold.train, fold.test = Part(fold.columns, train), Part(fold.columns, test)
        fold.validation = Part(fold.columns, test[:0])
        return fold


def prepare(
    model: Model, columns: list[Column], sizes: Sizes, train: Rows | None, gathered: Problems | None = None
) -> dict[str, Column]:
    """The columns by name, transformed and checked; what transforms learn they learn from the rows `train` (None: they
    know all). `sizes` are those of the free dimensions, as far as they are known. Raises RunFailed with all that is
    wrong; or adds it to `gathered`, and leaves such columns as they were read."""
    problems = Problems() if gathered is None else gathered
    wrong: set[str] = set()

    def settle(column: Column, work: Callable[[], Iterable[DataProblem]]) -> Column:
        try:
            found = list(work())
        except DataProblem as error:
            found = [error]
        for problem in found:
            problems.add(problem.diagnostic)
        if found:
            wrong.add(column.slot.name)
        return column

    def shape(column: Column) -> tuple[DataProblem, ...]:
        column.learn(train)
        check_shape(column, sizes)
        return ()

    def finish(column: Column, keep: bool) -> list[DataProblem]:
        column.finish(keep=keep)
        assert column.checked is not None
        return column.checked.problems()

    together(partial(settle, column, partial(shape, column)) for column in columns)
    if problems.has_errors and gathered is None:
        raise RunFailed(problems)
    fine = [column for column in columns if column.slot.name not in wrong]
    try:
        check_sizes(fine, model, sizes)
    except DataProblem as problem:
        if gathered is None:
            raise RunFailed.one(problem) from None
        gathered.add(problem.diagnostic)
    keep = sum(column.rows * column.row_bytes for column in fine) <= limits.RESIDENT_BYTES
    together(partial(settle, column, partial(finish, column, keep)) for column in fine)
    if problems.has_errors and gathered is None:
        raise RunFailed(problems)
    for column in columns:
        if column.slot.name in wrong:
            column.as_read()
    return {column.slot.name: column for column in columns}


def load(
    model: Model, given: str | None, *, batch: int, steps: int | None, seed: int, validation: str | None = None,
    test: str | None = None, lenient: bool = False,
) -> Dataset:  # fmt: skip
    """Reads and checks the data; `given` is the value of `--data`, `validation` and `test` those of the options of
    these names, `lenient` as in Dataset. Raises RunFailed, Unavailable."""
    filling = Filling(model, batch=batch, steps=steps, seed=seed)
    files = {name: path for name, path in (("validation", validation), ("test", test)) if path is not None}
    problems = Problems()
    for name in files:
        if (problem := filling.conflict(name)) is not None:
            problems.add(problem.diagnostic)
    if problems.has_errors:
        raise RunFailed(problems)
    readers: list[Callable[[], list[Filled]]] = [partial(filling.read, given, held_out="test" not in files)]
    readers += [partial(filling.file, path) for path in files.values()]
    filled, *others = _all(readers)
    shown = "random numbers" if given == RANDOM else given or ", ".join(dict.fromkeys(f.source.shown for f in filled))
    return Dataset(model, filled, filling.options, shown, dict(zip(files, others, strict=True)), lenient=lenient)


def apply(
    model: Model, given: str | None, learnt: Mapping[str, Any], *, inputs_only: bool = False, batch: int = 32,
    seed: int = 0,
) -> Part:  # fmt: skip
    """New data for a trained model, checked and transformed as `learnt` (see `Dataset.learnt`) says.

    `given` is a file (.csv, .npz, .npy), `-` for a table from the standard input, or None for the `data` section of the
    model, all of its rows. `inputs_only` leaves targets and weights out: they need not be there. Raises RunFailed,
    Unavailable.
    """
    filling = Filling(model, batch=batch, steps=None, seed=seed, inputs_only=inputs_only)
    filled = filling.read(given) if given is None or given == RANDOM else filling.file(given)
    problems = Problems()
    lines = {}
    for item in filled:
        try:
            lines[item.slot.name] = _steps_of(learnt.get(item.slot.name, []), model)
        except StepError as error:
            problems.add(DataProblem("NN0607", error.message, file_span("data.json"), help="train anew").diagnostic)
    if problems.has_errors:
        raise RunFailed(problems)
    _one(partial(lined_up, filled, lines))
    columns = [Column(item, lines[item.slot.name], model.float_dtype) for item in filled]
    rows = _one(partial(check_rows, columns))
    return Part(prepare(model, columns, {}, None), np.arange(rows))


def _steps_of(records: Any, model: Model) -> list[Step]:
    if not isinstance(records, list):
        raise StepError("what the transforms have learnt is damaged")
    return [from_record(record, model.float_dtype) for record in records]


def _no_folds(model: Model) -> None:
    """Folds mix what comes earlier and later. Raises DataProblem."""
    if model.training.get("cross_validation") is not None:
        raise DataProblem(
            "NN0215", "`cross_validation` tests on rows between those it trains on, and this data is a series",
            model.training.spans["cross_validation"],
            help="hold out its last rows: `with test=0.2` behind the source",
        )  # fmt: skip


def _one(check: Callable[[], Any]) -> Any:
    try:
        return check()
    except DataProblem as problem:
        raise RunFailed.one(problem) from None


def _all(readers: Iterable[Callable[[], list[Filled]]]) -> list[list[Filled]]:
    """What all of them read; the problems of all are gathered before it ends. Raises RunFailed."""
    problems = Problems()
    found = []
    for read in readers:
        try:
            found.append(read())
        except RunFailed as failed:
            for diagnostic in failed.problems:
                problems.add(diagnostic)
    if problems.has_errors:
        raise RunFailed(problems)
    return found
