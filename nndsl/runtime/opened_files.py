"""Parquet, npy, IDX and folders of pictures as open sources."""

from __future__ import annotations

import numpy as np

from nndsl.diagnostics.model import Diagnostic
from nndsl.ir.graph import DataSource
from nndsl.layers.families.file_readers import Images, Parquet
from nndsl.layers.families.readers import Mnist
from nndsl.layers.families.transforms import Transform
from nndsl.layers.families.word_transforms import Classes
from nndsl.runtime.column_names import Columns
from nndsl.runtime.idx import IdxFolder
from nndsl.runtime.opened import Array, Opened
from nndsl.runtime.parquet import ParquetTable
from nndsl.runtime.pictures import PictureFolder
from nndsl.runtime.report import DataProblem
from nndsl.runtime.slots import Slot
from nndsl.source import Span


class OpenParquet(Opened):
    names_columns = True

    def __init__(self, table: ParquetTable) -> None:
        self.table, self.shown = table, table.shown

    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        return self.table.take(key, span)

    def text(self, key: Columns, span: Span) -> Array:
        return self.table.text(key, span)

    def lists(self, key: Columns, slot: Slot, span: Span) -> Array:
        return self.table.lists(key, span)

    def place(self, key: Columns, row: int, column: int, span: Span) -> tuple[Span, str]:
        numbers, one = self.table.numbers(key, span)
        title = self.table.title(numbers[0 if one or column >= len(numbers) else column])
        return span, f"row {row}, {title}"


class OpenIdx(Opened):
    def __init__(self, folder: IdxFolder) -> None:
        self.folder, self.shown = folder, folder.shown
        folder.check()
        self.last = len(folder.label()[1])

    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        return np.concatenate(self.folder.image() if key == "image" else self.folder.label())


class OpenPictures(Opened):
    def __init__(self, folder: PictureFolder) -> None:
        self.folder, self.shown, self.last = folder, folder.shown, folder.test_rows

    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        return self.folder.pixels() if key == "image" else self.folder.labels

    def first(self, key: Columns) -> tuple[Transform, ...]:
        if key != "label":
            return ()
        return (Classes({"names": tuple(self.folder.classes)}, lambda argument: argument.default),)

    @property
    def warnings(self) -> list[Diagnostic]:
        return self.folder.warnings

    def place(self, key: Columns, row: int, column: int, span: Span) -> tuple[Span, str]:
        return span, f"`{self.folder.files[row]}`"


def open_parquet(path: str) -> OpenParquet:
    """A file that the command line names."""
    return OpenParquet(ParquetTable(path, path))


def open_file(
    reader: Parquet | Images | Mnist, path: str, shown: str, base: str, source: DataSource, fields: set[str]
) -> Opened:
    """Opens what the reader of `source` reads; `base` is the folder that links in a folder may not lead out of,
    `fields` are those that are asked for. Raises DataProblem, Unavailable."""
    match reader:
        case Parquet():
            return OpenParquet(ParquetTable(path, shown))
        case Mnist():
            return OpenIdx(IdxFolder(path, shown, base))
    labelled = "label" in fields
    opened = OpenPictures(
        PictureFolder(path, shown, base, reader.size, reader.channels, source.span, labelled=labelled)
    )
    if opened.last and "test" in source.options:
        raise DataProblem(
            "NN0215", f"`{shown}` brings its own test part, the folder `test`", source.span,
            help="leave `test=` out; `validation` may stay",
        )  # fmt: skip
    return opened
