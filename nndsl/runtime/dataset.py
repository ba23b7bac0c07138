"""From the `data` section, or `--data`, to arrays for training, validation and test, checked against the model."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Diagnostic, Problems
from nndsl.ir.graph import Binding, Model
from nndsl.layers.families.readers import Csv, Mnist, Npz
from nndsl.passes.train_checks import is_stateful
from nndsl.runtime import made
from nndsl.runtime.archives import Archive
from nndsl.runtime.by_name import array_by_name, columns_by_name
from nndsl.runtime.checks import Filled, check_rows, check_shape, check_sizes, check_values
from nndsl.runtime.report import DataProblem, RunFailed, file_span
from nndsl.runtime.slots import slots_of
from nndsl.runtime.sources import OpenArchive, Opened, OpenTable, RandomData, missing, open_source
from nndsl.runtime.tables import Table
from nndsl.runtime.transforms import apply

Array: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = npt.NDArray[np.intp]

RANDOM = "random"
HELD_OUT = 0.2
"""The share that is held out where nothing says how much."""


@dataclass
class Dataset:
    """Checked arrays [rows, …] by the names of inputs and outputs, and which rows are for what.

    `learnt` is what the transforms need to do the same to new data; `ordered` says that rows follow one another in
    time. Class ids are int64.
    """

    arrays: dict[str, Array]
    train: Rows
    validation: Rows
    test: Rows
    shown: str
    ordered: bool = False
    learnt: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    warnings: list[Diagnostic] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return len(next(iter(self.arrays.values())))


def load(model: Model, given: str | None, *, batch: int, steps: int | None, seed: int) -> Dataset:
    """Reads and checks the data; `given` is the value of `--data`. Raises RunFailed, Unavailable."""
    return _Loader(model, batch, steps, seed).load(given)


class _Loader:
    def __init__(self, model: Model, batch: int, steps: int | None, seed: int) -> None:
        self.model, self.batch, self.steps, self.seed = model, batch, steps, seed
        self.slots = slots_of(model)
        self.problems = Problems()
        self.options: dict[str, Any] = dict(model.sources[0].options) if model.sources else {}
        self.learnt: dict[str, list[dict[str, Any]]] = {}

    def load(self, given: str | None) -> Dataset:
        if given == RANDOM:
            filled = self._random()
            shown = "random data"
        elif given is not None:
            filled = self._file(given)
            shown = given
        elif self.model.bindings:
            filled = self._section(None)
            shown = ", ".join(dict.fromkeys(item.source.shown for item in filled))
        else:
            arrays = " and ".join(f"`{slot.name}`" for slot in self.slots)
            raise RunFailed.one(
                DataProblem(
                    "NN0601",
                    f"model `{self.model.name}` has no `data` section",
                    self.model.span,
                    help=f"name a file with the arrays {arrays} (`--data file.npz`), or take `--data random`",
                )
            )
        return self._finish(filled, shown)

    def _attempt(self, make: Callable[[], Filled]) -> Filled | None:
        try:
            return make()
        except DataProblem as problem:
            self.problems.add(problem.diagnostic)
            return None

    def _all(self, makers: Sequence[Callable[[], Filled]]) -> list[Filled]:
        """What all of them make; every problem is reported before it ends. Raises RunFailed."""
        filled = [item for make in makers if (item := self._attempt(make)) is not None]
        if self.problems.has_errors:
            raise RunFailed(self.problems)
        return filled

    # -------------------------------------------------------------------------------------- reading

    def _section(self, path: str | None) -> list[Filled]:
        """The model's `data` section; `path` takes the place of its one file."""
        opened: dict[str, Opened] = {}
        used = {binding.source for binding in self.model.bindings}
        for source in self.model.sources:
            if source.name not in used:
                continue
            own = path if isinstance(source.reader, Csv | Npz | Mnist) else None
            try:
                opened[source.name] = open_source(
                    source, self.model, self.slots, batch=self.batch, steps=self.steps, path=own
                )
            except DataProblem as problem:
                self.problems.add(problem.diagnostic)
        by_name = {slot.name: slot for slot in self.slots}

        def take(binding: Binding) -> Filled:
            source, slot = opened[binding.source], by_name[binding.name]
            values = source.take(binding.fields, slot, binding.span)
            return Filled(slot, values, source, binding.fields, binding.span)

        makers = [
            lambda b=binding: take(b)
            for binding in self.model.bindings
            if binding.source in opened and binding.name in by_name
        ]
        return self._all(makers)

    def _random(self) -> list[Filled]:
        self.options.setdefault("test", HELD_OUT)
        try:
            rows = made.random_rows(self.model, self.slots)
            source = RandomData(self.model, self.slots, rows, self.options.get("seed", self.seed))
        except DataProblem as problem:
            raise RunFailed.one(problem) from None
        return [
            Filled(slot, source.take(slot.name, slot, slot.span), source, slot.name, slot.span) for slot in self.slots
        ]

    def _file(self, path: str) -> list[Filled]:
        """A file given on the command line: by names, or in the place of the section's own file."""
        if not os.path.exists(path):
            raise RunFailed.one(missing(path, file_span(path), "name a file that is there"))
        self.options.setdefault("test", HELD_OUT)
        ending = os.path.splitext(path)[1].lower()
        files = [s.reader for s in self.model.sources if isinstance(s.reader, Csv | Npz | Mnist)]
        try:
            if ending == ".npz":
                archive = Archive(path, path)
                names = {slot.name for slot in self.slots}
                if len(files) == 1 and isinstance(files[0], Npz | Mnist) and not names <= set(archive.names):
                    return self._section(path)
                source = OpenArchive(archive)
                self._without_bindings()
                return self._all([lambda s=slot: array_by_name(s, source) for slot in self.slots])
            if ending in (".csv", ".tsv", ".txt"):
                if len(files) == 1 and isinstance(files[0], Csv):
                    return self._section(path)
                self._without_bindings()
                table = OpenTable(Table(path, path, header=None, delimiter="\t" if ending == ".tsv" else ","))
                return self._all([lambda s=slot: columns_by_name(s, table, self.slots) for slot in self.slots])
        except DataProblem as problem:
            raise RunFailed.one(problem) from None
        raise RunFailed.one(
            DataProblem(
                "NN0607",
                f"`{path}` is neither an .npz nor a .csv file",
                file_span(path),
                help="`--data` takes an archive of arrays (.npz), a table (.csv), or the word `random`",
            )
        )

    def _without_bindings(self) -> None:
        """The file replaces the section: its transforms do not hold."""
        self.model.bindings = []

    # ------------------------------------------------------------------------------------- checking

    def _finish(self, filled: list[Filled], shown: str) -> Dataset:
        try:
            rows = check_rows(filled)
        except DataProblem as problem:
            raise RunFailed.one(problem) from None
        ordered = is_stateful(self.model) or any(item.source.ordered for item in filled)
        train, validation, test = self._split(rows, max(item.source.last for item in filled), ordered)
        bindings = {binding.name: binding for binding in self.model.bindings}
        sizes: dict[str, tuple[int, str]] = {}

        def prepare(item: Filled) -> Filled:
            binding = bindings.get(item.slot.name)
            if binding is not None and binding.transforms:
                item.values, record = apply(
                    binding.transforms, item.values, train, self.model.float_dtype, item.span, item.what
                )
                item.changed = True
                self.learnt[item.slot.name] = record
            check_shape(item, sizes)
            return item

        self._all([lambda i=item: prepare(i) for item in filled])
        try:
            check_sizes(filled, self.model, sizes)
        except DataProblem as problem:
            raise RunFailed.one(problem) from None
        arrays: dict[str, Array] = {}

        def finish(item: Filled) -> Filled:
            arrays[item.slot.name] = check_values(item, self.model.float_dtype)
            return item

        self._all([lambda i=item: finish(i) for item in filled])
        dataset = Dataset(arrays, train, validation, test, shown, ordered, self.learnt)
        dataset.sizes = {name: size for name, (size, _) in sizes.items()}
        for source in {id(item.source): item.source for item in filled}.values():
            if isinstance(source, OpenTable):
                dataset.warnings += source.table.warnings
        return self._whole_batches(dataset)

    def _split(self, rows: int, last: int, ordered: bool) -> tuple[Rows, Rows, Rows]:
        """(training, validation, test): rows in their order where `ordered`, else shuffled by the source's seed."""
        pool = np.arange(rows - last)
        test_count = 0 if last else round(len(pool) * self.options.get("test", 0))
        own = self.model.training.get("validation_split", 0)
        validation_count = round(len(pool) * self.options.get("validation", own))
        batch = self.model.batch
        if batch is not None:
            test_count, validation_count = (-(-n // batch) * batch if n else 0 for n in (test_count, validation_count))
        if not ordered:
            np.random.default_rng(self.options.get("seed", 0)).shuffle(pool)
        kept = len(pool) - test_count - validation_count
        if kept < 1:
            raise RunFailed.one(
                DataProblem(
                    "NN0605",
                    f"of {rows} rows none is left for training",
                    self.model.span,
                    help="hold out a smaller share, or give more data",
                )
            )
        test = np.arange(rows - last, rows) if last else pool[kept + validation_count :]
        return pool[:kept], pool[kept : kept + validation_count], test

    def _whole_batches(self, dataset: Dataset) -> Dataset:
        """A model with a fixed batch size takes no partial batch: the rows at the end are left out."""
        batch = self.model.batch
        if batch is None:
            return dataset
        if len(dataset.train) < batch:
            raise RunFailed.one(
                DataProblem(
                    "NN0605",
                    f"{len(dataset.train)} rows for training do not fill one batch of {batch}",
                    self.model.span,
                    help="give more data, hold out less, or declare a smaller batch",
                )
            )
        left = 0
        for name in ("train", "validation", "test"):
            part: Rows = getattr(dataset, name)
            left += len(part) % batch
            setattr(dataset, name, part[: len(part) // batch * batch])
        if left:
            dataset.notes.append(f"{left} rows are left out: they do not fill a batch of {batch}")
        return dataset
