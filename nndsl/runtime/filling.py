"""Where the data of a run comes from: the `data` section, a file of the command line, or random numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from nndsl.diagnostics.model import Problems
from nndsl.ir.graph import Binding, Model
from nndsl.layers.families.readers import Csv, Mnist, Npz
from nndsl.runtime import made
from nndsl.runtime.archives import Archive
from nndsl.runtime.by_name import array_by_name, columns_by_name
from nndsl.runtime.checks import Filled
from nndsl.runtime.report import DataProblem, RunFailed, file_span
from nndsl.runtime.slots import Slot, slots_of
from nndsl.runtime.sources import Array, OfFile, OpenArchive, Opened, OpenTable, RandomData, missing, open_source
from nndsl.runtime.tables import Table

RANDOM = "random"
HELD_OUT = 0.2
"""The share that is held out where nothing says how much."""


class Filling:
    """Reads what fills the slots of a model. `options` says how the rows are split; every method that reads raises
    RunFailed with all that is wrong, or Unavailable."""

    def __init__(self, model: Model, *, batch: int, steps: int | None, seed: int) -> None:
        self.model, self.batch, self.steps, self.seed = model, batch, steps, seed
        self.slots = slots_of(model)
        self.options: dict[str, Any] = dict(model.sources[0].options) if model.sources else {}

    def read(self, given: str | None) -> list[Filled]:
        """`given` is the value of `--data`."""
        try:
            if given == RANDOM:
                return self._random()
            if given is not None:
                return self._file(given)
            if self.model.bindings:
                return self._section(None)
        except DataProblem as problem:
            raise RunFailed.one(problem) from None
        arrays = " and ".join(f"`{slot.name}`" for slot in self.slots)
        lacking = DataProblem(
            "NN0601", f"model `{self.model.name}` has no `data` section", self.model.span,
            help=f"name a file with the arrays {arrays} (`--data file.npz`), or take `--data random`",
        )  # fmt: skip
        raise RunFailed.one(lacking)

    def _section(self, path: str | None) -> list[Filled]:
        """The model's `data` section; `path` takes the place of its one file."""
        opened: dict[str, Opened] = {}
        problems = Problems()
        used = {binding.source for binding in self.model.bindings}
        for source in self.model.sources:
            if source.name not in used:
                continue
            own = path if isinstance(source.reader, OfFile) else None
            try:
                opened[source.name] = open_source(
                    source, self.model, self.slots, batch=self.batch, steps=self.steps, path=own
                )
            except DataProblem as problem:
                problems.add(problem.diagnostic)
        by_name = {slot.name: slot for slot in self.slots}

        def take(binding: Binding) -> Filled:
            source, slot = opened[binding.source], by_name[binding.name]
            values = _values(source, slot, binding)
            return Filled(slot, values, source, binding.fields, binding.span, binding.transforms)

        known = [b for b in self.model.bindings if b.source in opened and b.name in by_name]
        return together((partial(take, binding) for binding in known), problems)

    def _random(self) -> list[Filled]:
        self.options.setdefault("test", HELD_OUT)
        rows = made.random_rows(self.model, self.slots)
        source = RandomData(self.model, self.slots, rows, self.options.get("seed", self.seed))

        def take(slot: Slot) -> Filled:
            return Filled(slot, source.take(slot.name, slot, slot.span), source, slot.name, slot.span)

        return [take(slot) for slot in self.slots]

    def _file(self, path: str) -> list[Filled]:
        """A file given on the command line: by names, or in the place of the section's own file."""
        if not os.path.exists(path):
            raise missing(path, file_span(path), "name a file that is there: .npz or .csv")
        self.options.setdefault("test", HELD_OUT)
        ending = os.path.splitext(path)[1].lower()
        files = [s.reader for s in self.model.sources if isinstance(s.reader, OfFile)]
        if ending == ".npz":
            archive = Archive(path, path)
            names = {slot.name for slot in self.slots}
            if len(files) == 1 and isinstance(files[0], Npz | Mnist) and not names <= set(archive.names):
                return self._section(path)
            arrays = OpenArchive(archive)
            return together(partial(array_by_name, slot, arrays) for slot in self.slots)
        if ending in (".csv", ".tsv", ".txt"):
            if len(files) == 1 and isinstance(files[0], Csv):
                return self._section(path)
            table = OpenTable(Table(path, path, header=None, delimiter="\t" if ending == ".tsv" else ","))
            return together(partial(columns_by_name, slot, table, self.slots) for slot in self.slots)
        raise DataProblem(
            "NN0607", f"`{path}` is neither an .npz nor a .csv file", file_span(path),
            help="`--data` takes an archive of arrays (.npz), a table (.csv), or the word `random`",
        )  # fmt: skip


def _values(source: Opened, slot: Slot, binding: Binding) -> Array:
    """What the first transform of the line reads: numbers, text, or lists. Raises DataProblem."""
    match binding.transforms[0].reads if binding.transforms else "numbers":
        case "text":
            return source.text(binding.fields, binding.span)
        case "lists":
            return source.lists(binding.fields, slot, binding.span)
    return source.take(binding.fields, slot, binding.span)


def together(makers: Iterable[Callable[[], Filled]], problems: Problems | None = None) -> list[Filled]:
    """What all of them make; the problems of all are gathered before it ends. Raises RunFailed."""
    problems = problems or Problems()
    filled = []
    for make in makers:
        try:
            filled.append(make())
        except DataProblem as problem:
            problems.add(problem.diagnostic)
        except MemoryError:
            raise RunFailed.one(_too_large()) from None
    if problems.has_errors:
        raise RunFailed(problems)
    return filled


def _too_large() -> DataProblem:
    return DataProblem(
        "NN0702", "the data do not fit into the memory", file_span("data"), help="take fewer rows, or smaller numbers"
    )
