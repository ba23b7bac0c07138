"""Checked arrays for training, validation and test."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Diagnostic
from nndsl.ir.graph import Model
from nndsl.passes.train_checks import is_stateful
from nndsl.runtime.checks import Filled, check_rows, check_shape, check_sizes, check_values
from nndsl.runtime.filling import RANDOM, Filling, together
from nndsl.runtime.report import DataProblem, RunFailed, warning
from nndsl.runtime.slots import WEIGHTS
from nndsl.runtime.sources import OpenTable
from nndsl.runtime.transforms import STEPS, StepError, record_of, step_of

Array: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = npt.NDArray[np.intp]


class Dataset:
    """Arrays [rows, …] by the names of inputs and outputs, and the rows for `train`, `validation` and `test`.

    `learnt` is what the transforms need to do the same to new data; `ordered` says that rows follow one another in
    time. Class ids are int64. `shown` is what messages call the data. Raises RunFailed.
    """

    def __init__(self, model: Model, filled: list[Filled], options: dict[str, Any], shown: str) -> None:
        self.model, self.filled, self.shown = model, filled, shown
        self.notes: list[str] = []
        self.warnings: list[Diagnostic] = []
        try:
            self.rows = check_rows(filled)
        except DataProblem as problem:
            raise RunFailed.one(problem) from None
        self.ordered = is_stateful(model) or any(item.source.ordered for item in filled)
        self.train, self.validation, self.test = self._split(options)
        self.arrays, self.learnt = self.prepare(self.train)
        self.warnings += [found for item in filled if (found := self._negative(item)) is not None]
        for source in {id(item.source): item.source for item in filled}.values():
            if isinstance(source, OpenTable):
                self.warnings += source.table.warnings

    def _negative(self, item: Filled) -> Diagnostic | None:
        """What is to be said of weights below 0: Keras takes them too, and learns to be wrong where they are."""
        wrong = self.arrays[item.slot.name] < 0 if item.slot.what == WEIGHTS else np.zeros(1, bool)
        if not wrong.any():
            return None
        index = np.argwhere(wrong)[0]
        place, where = item.where(index)
        value = self.arrays[item.slot.name][tuple(index)]
        return warning(
            "NN0606", f"{where} of {item.what} is {value:g}: a weight below 0 rewards mistakes", place,
            help="weights of samples are 0 or more; 0 leaves a sample out",
        )  # fmt: skip

    @property
    def learns(self) -> bool:
        """Whether a transform learns from the training part."""
        return any(STEPS[t.title()].learns for item in self.filled for t in item.transforms)

    def prepare(self, train: Rows) -> tuple[dict[str, Array], dict[str, list[dict[str, Any]]]]:
        """The arrays with transforms that have learnt from the rows `train`, and what they learnt. Raises RunFailed."""
        sizes: dict[str, tuple[int, str]] = {}
        learnt: dict[str, list[dict[str, Any]]] = {}
        arrays: dict[str, Array] = {}

        def transform(item: Filled) -> Filled:
            item = copy(item)
            if item.transforms:
                learnt[item.slot.name] = self._transform(item, train)
                item.changed = True
            check_shape(item, sizes)
            return item

        def finish(item: Filled) -> Filled:
            arrays[item.slot.name] = check_values(item, self.model.float_dtype)
            return item

        prepared = together(partial(transform, item) for item in self.filled)
        try:
            check_sizes(prepared, self.model, sizes)
        except DataProblem as problem:
            raise RunFailed.one(problem) from None
        together(partial(finish, item) for item in prepared)
        return arrays, learnt

    def _transform(self, item: Filled, train: Rows) -> list[dict[str, Any]]:
        """Changes the values as the transforms say; gives what they learnt from the rows `train`."""
        record = []
        for transform in item.transforms:
            step = step_of(transform, self.model.float_dtype)
            try:
                if step.learns:
                    step.learn([item.values[train]])
                item.values = step.apply(item.values)
            except StepError as error:
                raise item.step_problem(error) from None
            record.append(record_of(step))
        return record

    def _split(self, options: dict[str, Any]) -> tuple[Rows, Rows, Rows]:
        """(training, validation, test): the last rows where they follow one another, else rows chosen by the source's
        seed. The `validation_split` of the `train` section takes the last share of what is left, as Keras counts it.
        What is trained on stays in its order."""
        last = max(item.source.last for item in self.filled)
        pool = np.arange(self.rows - last)
        if not self.ordered:
            np.random.default_rng(options.get("seed", 0)).shuffle(pool)
        counts = [
            round(len(pool) * part) for part in (0 if last else options.get("test", 0), options.get("validation", 0))
        ]
        split = 0 if "validation" in options else self.model.training.get("validation_split", 0)
        if split:
            left = len(pool) - counts[0]
            counts[1] = left - int(left * (1 - split))
        batch = self.model.batch
        if batch is not None:
            counts = [-(-count // batch) * batch for count in counts]
        test, validation = counts
        kept = len(pool) - test - validation
        if kept < (batch or 1):
            raise RunFailed.one(self._too_few(max(kept, 0)))
        held_out = np.arange(self.rows - last, self.rows) if last else pool[kept + validation :]
        rest = np.sort(pool[: kept + validation]) if split else pool[: kept + validation]
        parts = [np.sort(rest[:kept]), rest[kept:], held_out]
        if batch is not None:
            if left := sum(len(part) % batch for part in parts):
                rows = f"{left} row is" if left == 1 else f"{left} rows are"
                self.notes.append(f"{rows} left out: the model takes whole batches of {batch}")
            parts = [part[: len(part) // batch * batch] for part in parts]
        return parts[0], parts[1], parts[2]

    def _too_few(self, kept: int) -> DataProblem:
        batch, rows = self.model.batch, f"{self.rows} row{'' if self.rows == 1 else 's'} of {self.shown}"
        if batch is None:
            return DataProblem(
                "NN0605", f"of {rows} none is left for training", self.model.span,
                help="hold out a smaller share, or give more data",
            )  # fmt: skip
        return DataProblem(
            "NN0605", f"of {rows} {kept} are left for training, which do not fill a batch of {batch}", self.model.span,
            help="give more data, hold out less, or declare a smaller batch",
        )  # fmt: skip


def load(model: Model, given: str | None, *, batch: int, steps: int | None, seed: int) -> Dataset:
    """Reads and checks the data; `given` is the value of `--data`. Raises RunFailed, Unavailable."""
    filling = Filling(model, batch=batch, steps=steps, seed=seed)
    filled = filling.read(given)
    shown = "random numbers" if given == RANDOM else given or ", ".join(dict.fromkeys(f.source.shown for f in filled))
    return Dataset(model, filled, filling.options, shown)
