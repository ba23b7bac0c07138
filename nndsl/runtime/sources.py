"""The readers of the `data` section at work: each opens its data and gives arrays by field."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np

from nndsl.diagnostics.model import Diagnostic
from nndsl.files import STDIN, lies_in
from nndsl.ir.graph import DataSource, Model
from nndsl.layers.families.file_readers import Images, Npy, Parquet
from nndsl.layers.families.readers import BreastCancer, Csv, Digits, Function, Iris, Mnist, Npz, Random, Reader
from nndsl.runtime import made
from nndsl.runtime.archives import Archive
from nndsl.runtime.column_names import Columns
from nndsl.runtime.idx import is_idx
from nndsl.runtime.opened import Array, Opened
from nndsl.runtime.opened_files import open_file
from nndsl.runtime.report import DataProblem, file_span
from nndsl.runtime.scratch import spool
from nndsl.runtime.single_arrays import SingleArray
from nndsl.runtime.slots import Slot
from nndsl.runtime.tables import Table
from nndsl.source import Span

OfFile: TypeAlias = Csv | Npz | Mnist | Parquet | Npy | Images
"""The readers of files, which `--data` can replace."""

MAX_STDIN = 4 * 2**30
"""How many bytes are read from the standard input."""
MNIST = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


class OpenTable(Opened):
    names_columns = True

    def __init__(self, table: Table) -> None:
        self.table, self.shown = table, table.shown

    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        return self.table.take(key, span)

    def text(self, key: Columns, span: Span) -> Array:
        return self.table.text(key, span)

    @property
    def warnings(self) -> list[Diagnostic]:
        return self.table.warnings

    def place(self, key: Columns, row: int, column: int, span: Span) -> tuple[Span, str]:
        numbers, _ = self.table.numbers(key, span)
        number = numbers[column if column < len(numbers) else 0]
        place, line = self.table.cell_span(row, number)
        return place, f"line {line}, {self.table.title(number)}"


class OpenArchive(Opened):
    def __init__(self, archive: Archive) -> None:
        self.archive, self.shown = archive, archive.shown

    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        return self.archive.take(str(key), span)

    def labels(self, key: Columns, slot: Slot, span: Span) -> Array | None:
        name = next((str(key).replace(a, b) for a, b in _LABELLED if a in str(key)), "")
        return self.archive.take(name, span) if name in self.archive.names else None

    def guard(self) -> None:
        for mapped in self.archive.maps:
            mapped.check()


_LABELLED = (("x_", "y_"), ("image", "label"))
"""What arrays of data and of their classes are called: x_train and y_train, images and labels."""


class OpenArray(Opened):
    """One .npy file."""

    def __init__(self, path: str, shown: str, span: Span) -> None:
        self.shown = shown
        self.array = SingleArray(path, shown, span)

    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        return self.array.take(key, span)

    def guard(self) -> None:
        if self.array.map is not None:
            self.array.map.check()


class OpenMnist(OpenArchive):
    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        letter = "x" if key == "image" else "y"
        test = self.archive.take(f"{letter}_test", span)
        self.last = len(test)
        train = self.archive.take(f"{letter}_train", span)
        if train.shape[1:] != test.shape[1:]:
            raise DataProblem(
                "NN0607", f"the training and the test part of {self.shown} have different shapes", file_span(self.shown)
            )
        return np.concatenate([train, test])

    def labels(self, key: Columns, slot: Slot, span: Span) -> Array | None:
        return self.take("label", slot, span)


class BuiltIn(Opened):
    def __init__(self, name: str) -> None:
        self.shown = f"{name}()"
        self.arrays, self.names = made.built_in(name)

    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        return self.arrays[str(key)]

    def labels(self, key: Columns, slot: Slot, span: Span) -> Array | None:
        return self.arrays["label"]

    def class_names(self, key: Columns) -> list[str]:
        return self.names if key == "label" else []


class Series(Opened):
    ordered = True

    def __init__(self, reader: Function, batch: int, steps: int | None) -> None:
        self.reader, self.batch = reader, batch
        self.rows = reader.samples or batch * min(steps or 100, 10_000)
        self.shown = f'function("{reader.values}", of="{reader.of}")'

    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        row = slot.row[:-1] if slot.row[-1:] == (1,) and len(slot.row) == 2 else slot.row
        if len(row) != 1 or not isinstance(row[0], int):
            raise DataProblem(
                "NN0605", f"a made series fills one axis of known length, and `{slot.name}` is {slot.type}", span,
                help="declare it as `float[20, 1]`: 20 steps with one number each",
            )  # fmt: skip
        return made.series(str(key), rows=self.rows, batch=self.batch, length=row[0], step=self.reader.step)


class RandomData(Opened):
    shown = "random()"

    def __init__(self, model: Model, slots: list[Slot], rows: int, seed: int) -> None:
        self.slots = {slot.name: slot for slot in slots}
        self.rows, self.seed, self.sizes = rows, seed, made.random_sizes(model)

    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        if key not in self.slots:
            raise DataProblem(
                "NN0604", f"`random` has no field `{key}`", span, help=f"its fields are {', '.join(self.slots)}"
            )
        return made.random_array(self.slots[str(key)], self.sizes, self.rows, self.seed)


def open_source(
    source: DataSource, model: Model, slots: list[Slot], *, batch: int, steps: int | None, path: str | None = None
) -> Opened:
    """Opens what a `source` statement names; `path` is a file given on the command line instead. Raises DataProblem,
    Unavailable."""
    reader: Reader = source.reader
    match reader:
        case Digits() | Iris() | BreastCancer():
            return BuiltIn(reader.title())
        case Function():
            return Series(reader, batch, steps)
        case Random():
            return RandomData(model, slots, reader.samples, source.options.get("seed", 0))
    assert isinstance(reader, OfFile)
    shown = path or os.path.join(os.path.dirname(model.file.name), reader.file)
    place = path or _inside(model.file.name, reader.file, source.span)
    if place != STDIN and not os.path.lexists(place):
        told = [line for line in model.comment.splitlines() if reader.file in line] if path is None else []
        what = "folder" if isinstance(reader, Images) else "file"
        raise missing(shown, source.span if path is None else file_span(shown), _where_to_get(reader), told, what)
    if isinstance(reader, Csv):
        return OpenTable(open_table(place, shown, header=reader.header, delimiter=reader.delimiter))
    if isinstance(reader, Npy):
        return OpenArray(place, shown, source.span)
    if isinstance(reader, Npz) or (isinstance(reader, Mnist) and not is_idx(place)):
        return OpenMnist(Archive(place, shown)) if isinstance(reader, Mnist) else OpenArchive(Archive(place, shown))
    # links in a folder may lead about in the folder of the program, or in the one that the command line names
    base = os.path.dirname(os.path.abspath(model.file.name)) if path is None else path
    base = base if os.path.isdir(base) else os.path.dirname(base) or "."
    names = {slot.name for slot in slots}
    fields = {str(b.fields) for b in model.bindings if b.source == source.name and b.name in names}
    return open_file(reader, place, shown, base, source, fields)


def open_table(path: str, shown: str | None = None, *, header: bool | None, delimiter: str) -> Table:
    """The table in a file, or in the standard input for `-`. Raises DataProblem."""
    if path != STDIN:
        return Table(path, shown or path, header=header, delimiter=delimiter)
    name = "the standard input"
    if sys.stdin.isatty():
        raise DataProblem(
            "NN0607", f"{name} is the keyboard", file_span(name), help="pipe a table into it: `… --data - < new.csv`"
        )
    spooled = spool(sys.stdin.buffer, name, MAX_STDIN)
    return Table(path, name, header=header, delimiter=delimiter, spooled=spooled)


def _inside(program: str, file: str, span: Span) -> str:
    """The path of a data file, which may not leave the folder through a link either."""
    folder = os.path.realpath(os.path.dirname(os.path.abspath(program)))
    place = os.path.join(folder, file)
    if not lies_in(folder, place):
        raise DataProblem(
            "NN0608", f"`{file}` is a link that leads out of the folder of the `.nn` file", span,
            help="`nndsl run FILE --data PATH` reads data from anywhere",
        )  # fmt: skip
    return place


def _where_to_get(reader: Reader) -> str:
    if isinstance(reader, Mnist) or getattr(reader, "file", "") == "mnist.npz":
        return f"download it from {MNIST} and put it there; or name another file with `--data PATH`"
    return "put it there; or name another file with `--data PATH`"


def missing(shown: str, span: Span, remedy: str, notes: Iterable[str] = (), what: str = "file") -> DataProblem:
    """A data file that is not there; `notes` is what the `.nn` file says of it."""
    return DataProblem(
        "NN0603", f"there is no {what} `{shown}`", span, notes=notes,
        help=f"{remedy}, or try the model with `--data random`",
    )  # fmt: skip
