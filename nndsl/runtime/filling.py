"""Where the data of a run comes from: the `data` section, a file of the command line, or random numbers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from nndsl.diagnostics.model import Problems
from nndsl.files import STDIN, meant
from nndsl.ir.graph import Binding, Model
from nndsl.layers.families.file_readers import Images, Npy, Parquet
from nndsl.layers.families.readers import Csv, Mnist, Npz, Reader
from nndsl.runtime import made
from nndsl.runtime.archives import Archive
from nndsl.runtime.by_name import array_alone, array_by_name, columns_by_name
from nndsl.runtime.checks import Filled
from nndsl.runtime.idx import is_idx
from nndsl.runtime.opened import Array, Opened
from nndsl.runtime.opened_files import open_parquet
from nndsl.runtime.report import DataProblem, RunFailed, file_span
from nndsl.runtime.slots import Slot, slots_of
from nndsl.runtime.sources import (
    OfFile,
    OpenArchive,
    OpenArray,
    OpenTable,
    RandomData,
    missing,
    open_source,
    open_table,
)
from nndsl.source import Span

RANDOM = "random"
HELD_OUT = 0.2
"""The share that is held out where nothing says how much."""


class Filling:
    """Reads what fills the slots of a model. `options` says how the rows are split; every method that reads raises
    RunFailed with all that is wrong, or Unavailable."""

    def __init__(self, model: Model, *, batch: int, steps: int | None, seed: int, inputs_only: bool = False) -> None:
        """`inputs_only` leaves targets and weights of samples out."""
        self.model, self.batch, self.steps, self.seed = model, batch, steps, seed
        every = slots_of(model)
        self.slots = [slot for slot in every if slot.what == "input"] if inputs_only else every
        self.left_out = [slot for slot in every if slot not in self.slots]
        self.options: dict[str, Any] = dict(model.sources[0].options) if model.sources else {}

    def conflict(self, part: str) -> DataProblem | None:
        """What says already where the `validation` or `test` part comes from, when the command line names a file."""
        option, training = f"--{part}", self.model.training
        help = f"leave `{option}` out, or what the file says of it"
        used = {binding.source for binding in self.model.bindings}
        for source in self.model.sources:
            if source.name in used and part in source.options:
                message = (
                    f"`{option}` names a file, and `{source.name}` holds out a part: `{part}={source.options[part]}`"
                )
                return DataProblem("NN0215", message, _option(source.span, part), help=help)
            if source.name in used and part == "test" and source.reader.own_test:
                message = f"`{option}` names a file, and `{source.reader.title()}` brings its own test part"
                return DataProblem("NN0215", message, source.span, help=f"leave `{option}` out")
        for setting in ("validation_split", "cross_validation"):
            if setting in training.given and (part == "validation" or setting == "cross_validation"):
                said = f"`{setting}` of the `train` section takes parts of the data for it"
                return DataProblem("NN0215", f"`{option}` names a file, and {said}", training.spans[setting], help=help)
        return None

    def file(self, path: str) -> list[Filled]:
        """What a file of the command line holds: of other data than those that are split."""
        return self.read(path, held_out=False)

    def read(self, given: str | None, *, held_out: bool = True) -> list[Filled]:
        """`given` is the value of `--data`; without `held_out` nothing is, where nothing says how much."""
        if given is not None and held_out:
            self.options.setdefault("test", HELD_OUT)
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
        by_name = {slot.name: slot for slot in self.slots}
        used = {binding.source for binding in self.model.bindings if binding.name in by_name}
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

        def take(binding: Binding) -> Filled:
            source, slot = opened[binding.source], by_name[binding.name]
            values = _values(source, slot, binding)
            transforms = source.first(binding.fields) + binding.transforms
            return Filled(slot, values, source, binding.fields, binding.span, transforms)

        known = [b for b in self.model.bindings if b.source in opened and b.name in by_name]
        return together((partial(take, binding) for binding in known), problems)

    def _random(self) -> list[Filled]:
        rows = made.random_rows(self.model, self.slots)
        source = RandomData(self.model, self.slots, rows, self.options.get("seed", self.seed))

        def take(slot: Slot) -> Filled:
            return Filled(slot, source.take(slot.name, slot, slot.span), source, slot.name, slot.span)

        return [take(slot) for slot in self.slots]

    def _file(self, path: str) -> list[Filled]:
        """A file given on the command line: by names, or in the place of the section's own file."""
        slots = {slot.name for slot in self.slots}
        used = {binding.source for binding in self.model.bindings if binding.name in slots}
        files = [s.reader for s in self.model.sources if isinstance(s.reader, OfFile) and s.name in used]
        own = files[0] if len(files) == 1 else None
        if path == STDIN:
            return self._table(path, own)
        if not os.path.lexists(path):
            raise _absent(path)
        ending = os.path.splitext(path)[1].lower()
        if ending == ".npz":
            archive = Archive(path, path)
            there = set(archive.names)
            if isinstance(own, Npz | Mnist) and (self._read_from(own) <= there or not slots <= there):
                return self._section(path)
            arrays = OpenArchive(archive)
            return together(partial(array_by_name, slot, arrays) for slot in self.slots)
        if ending == ".parquet":
            if isinstance(own, Parquet):
                return self._section(path)
            parquet = open_parquet(path)
            return together(partial(columns_by_name, slot, parquet, self.slots, self.left_out) for slot in self.slots)
        if (os.path.isdir(path) and isinstance(own, Images)) or (is_idx(path) and isinstance(own, Mnist)):
            return self._section(path)
        if ending == ".npy" and isinstance(own, Npy):
            return self._section(path)
        if ending == ".npy":
            return [array_alone(self.slots, OpenArray(path, path, file_span(path)))]
        if ending in (".csv", ".tsv", ".txt"):
            return self._table(path, own)
        raise DataProblem(
            "NN0607", f"`{path}` is {'a folder' if os.path.isdir(path) else 'no .npz, .npy, .csv or .parquet file'}",
            file_span(path),
            help="`--data` takes an archive of arrays (.npz), an array (.npy), a table (.csv, .parquet, or `-` for CSV "
            "from the standard input), the folder of a section that reads one, or the word `random`",
        )  # fmt: skip

    def _read_from(self, own: Npz | Mnist) -> set[str]:
        """The arrays that the section takes from its file."""
        if isinstance(own, Mnist):
            return {"x_train", "y_train", "x_test", "y_test"}
        sources = {source.name for source in self.model.sources if source.reader is own}
        slots = {slot.name for slot in self.slots}
        return {str(b.fields) for b in self.model.bindings if b.source in sources and b.name in slots}

    def _table(self, path: str, own: Reader | None) -> list[Filled]:
        if isinstance(own, Csv):
            return self._section(path)
        delimiter = "\t" if path.lower().endswith(".tsv") else ","
        table = OpenTable(open_table(path, header=None, delimiter=delimiter))
        return together(partial(columns_by_name, slot, table, self.slots, self.left_out) for slot in self.slots)


def _values(source: Opened, slot: Slot, binding: Binding) -> Array:
    """What the first transform of the line reads: numbers, text, or lists. Raises DataProblem."""
    match binding.transforms[0].reads if binding.transforms else "numbers":
        case "text":
            return source.text(binding.fields, binding.span)
        case "lists":
            return source.lists(binding.fields, slot, binding.span)
    return source.take(binding.fields, slot, binding.span)


def _option(span: Span, name: str) -> Span:
    """The place of an option in a `source` statement."""
    found = list(re.finditer(rf"\b{name}\s*=\s*[^,\s]+", span.text))
    return Span(span.file, span.start + found[-1].start(), span.start + found[-1].end()) if found else span


def _absent(path: str) -> DataProblem:
    """A file of the command line that is not there; names that look like it are told."""
    if (help := meant(path)) is not None:
        return DataProblem("NN0603", f"there is no file `{path}`", file_span(path), help=help)
    return missing(path, file_span(path), "name a file that is there: .npz, .npy, .csv or .parquet")


T = TypeVar("T")


def together(makers: Iterable[Callable[[], T]], problems: Problems | None = None) -> list[T]:
    """What all of them make; the problems of all are gathered before it ends. Raises RunFailed."""
    problems = Problems() if problems is None else problems
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
