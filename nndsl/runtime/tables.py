"""CSV files: tables of numbers, read with the place of everything that is wrong."""

from __future__ import annotations

import csv
import itertools
import os
import warnings
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Diagnostic
from nndsl.runtime.columns import Columns, WithColumns
from nndsl.runtime.report import DataProblem, file_span, line_span, warning
from nndsl.source import Span

Array: TypeAlias = npt.NDArray[np.generic]

MAX_BYTES = 4 * 2**30
MAX_COLUMNS = 100_000


class Table(WithColumns):
    """One CSV file. `names` are the names of its columns, or None without a header; `rows` how many it has."""

    def __init__(self, path: str, shown: str, *, header: bool | None = True, delimiter: str = ",") -> None:
        """`header` None: the file has one if its first line holds a cell that is no number. Raises DataProblem."""
        self.path, self.shown, self.delimiter = path, shown, delimiter
        self.warnings: list[Diagnostic] = []
        first = self._first_line()
        plain = all(_number(cell) is not None or not cell.strip() for cell in first)
        self.has_header = not plain if header is None else header
        self.width = len(first)
        self.names = [cell.strip() for cell in first] if self.has_header else None
        if header and plain:
            self.warnings.append(
                warning(
                    "NN0607",
                    f"the first line of {shown} holds numbers only, and is read as the names of the columns",
                    line_span(shown, 1, self.delimiter.join(first)),
                    help="write `header=false` if it is the first row of the data",
                )
            )
        self._all = self._quick()
        self._cells: list[list[str]] | None = None
        self.rows = len(self._all) if self._all is not None else len(self._text())
        if self.rows == 0:
            raise DataProblem("NN0607", f"{shown} holds no row of data", file_span(shown))

    # -------------------------------------------------------------------------------------- reading

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """(line of the file, cells) of each row that is not empty. Raises DataProblem."""
        line = 0
        try:
            if os.path.getsize(self.path) > MAX_BYTES:
                raise DataProblem(
                    "NN0702", f"{self.shown} has more than {MAX_BYTES >> 30} GiB", file_span(self.shown),
                    help="save the numbers with `numpy.savez`, and read them with `npz`",
                )  # fmt: skip
            with open(self.path, encoding="utf-8-sig", newline="") as stream:
                reader = csv.reader(stream, delimiter=self.delimiter, strict=True)
                for cells in reader:
                    start, line = line + 1, reader.line_num
                    if cells and (len(cells) > 1 or cells[0].strip()):
                        yield start, cells
        except UnicodeDecodeError:
            raise DataProblem(
                "NN0607",
                f"{self.shown} is not UTF-8 text",
                file_span(self.shown),
                help="save it as a CSV file in UTF-8",
            ) from None
        except csv.Error as error:
            raise DataProblem(
                "NN0607", f"{self.shown} is not a CSV file: {error}, in line {line + 1}", file_span(self.shown)
            ) from None
        except OSError as error:
            raise unreadable(self.shown, error) from None

    def _first_line(self) -> list[str]:
        first = next(self._lines(), None)
        if first is None:
            raise DataProblem("NN0607", f"{self.shown} is empty", file_span(self.shown))
        if len(first[1]) > MAX_COLUMNS:
            raise DataProblem("NN0702", f"{self.shown} has more than {MAX_COLUMNS:,} columns", file_span(self.shown))
        return first[1]

    def _quick(self) -> npt.NDArray[np.float64] | None:
        """The whole table by NumPy's own parser, or None where it is not all numbers."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of an empty table, which is reported elsewhere
                values = np.loadtxt(
                    self.path,
                    delimiter=self.delimiter,
                    skiprows=1 if self.has_header else 0,
                    comments=None,
                    quotechar='"',
                    encoding="utf-8-sig",
                    ndmin=2,
                )
        except (ValueError, OSError, UnicodeDecodeError):
            return None
        return values if values.shape[1:] == (self.width,) and len(values) else None

    def _text(self) -> list[list[str]]:
        """All rows as text, each as wide as the first line."""
        if self._cells is None:
            lines = self._lines()
            if self.has_header:
                next(lines, None)
            rows = []
            for line, cells in lines:
                if len(cells) != self.width:
                    text = self.delimiter.join(cells)
                    wanted = f"{self.width} column{'' if self.width == 1 else 's'}"
                    raise DataProblem(
                        "NN0607",
                        f"line {line} of {self.shown} has {len(cells)} cell{'' if len(cells) == 1 else 's'}, and the "
                        f"first line has {self.width}",
                        line_span(self.shown, line, text[:200]),
                        help=f"every line of a table has the same number of columns; is this one of {wanted}?"
                        if len(cells) > 1
                        else self._other_delimiter(text),
                    )
                rows.append(cells)
            self._cells = rows
        return self._cells

    def hint(self) -> str | None:
        return self._other_delimiter(",".join(self._first_line())) if self.width == 1 else None

    def _other_delimiter(self, text: str) -> str | None:
        for other, name in ((";", '";"'), ("\t", '"\\t"'), (",", '","'), ("|", '"|"')):
            if other != self.delimiter and other in text:
                return f"are the cells separated in another way? write `delimiter={name}`"
        return None

    # -------------------------------------------------------------------------------------- columns

    def take(self, key: Columns, span: Span) -> npt.NDArray[np.float64]:
        """The columns as [rows] for one, [rows, n] for several. `span` is where they are asked for."""
        numbers, one = self.numbers(key, span)
        if self._all is not None:
            values = self._all[:, numbers]
        else:
            values = np.empty((self.rows, len(numbers)))
            for row, cells in enumerate(self._text()):
                for place, number in enumerate(numbers):
                    value = _number(cells[number])
                    if value is None:
                        raise self._bad_cell(row, number, span)
                    values[row, place] = value
        return values[:, 0] if one else values

    # --------------------------------------------------------------------------------------- places

    def cell_span(self, row: int, column: int) -> tuple[Span, int]:
        """The place of a cell, and its line."""
        lines = self._lines()
        line, cells = next(itertools.islice(lines, row + bool(self.has_header), None))
        start = sum(len(cell) + 1 for cell in cells[:column])
        text = self.delimiter.join(cells)
        return line_span(self.shown, line, text, start, start + max(len(cells[column]), 1)), line

    def _bad_cell(self, row: int, column: int, span: Span) -> DataProblem:
        place, line = self.cell_span(row, column)
        cell = self._text()[row][column].strip()
        if not cell:
            message = f"the cell in line {line}, {self.title(column)} of {self.shown} is empty"
            help = "fill the gap, or leave the line out"
        elif line == 1 and not self.has_header:
            message = f"`{cell[:40]}` in line 1, {self.title(column)} of {self.shown} is not a number"
            help = "if the first line holds the names of the columns, leave `header=false` out"
        else:
            message = f"`{cell[:40]}` in line {line}, {self.title(column)} of {self.shown} is not a number"
            decimal = cell.replace(",", ".")
            help = (
                f"write decimals with a point: `{decimal}`"
                if _number(decimal) is not None
                else "give words numbers: 0, 1, 2, …"
            )
        from nndsl.diagnostics.model import Label

        return DataProblem("NN0606", message, place, related=(Label(span, "read here"),), help=help)


def _number(cell: str) -> float | None:
    """The number that a cell holds (nan and inf too), or None."""
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def unreadable(shown: str, error: OSError) -> DataProblem:
    """A file that the system does not let us read."""
    if isinstance(error, FileNotFoundError):
        return DataProblem("NN0603", f"there is no file `{shown}`", file_span(shown))
    if isinstance(error, IsADirectoryError):
        return DataProblem("NN0607", f"`{shown}` is a folder, not a file", file_span(shown))
    reason = error.strerror or str(error)
    return DataProblem("NN0607", f"`{shown}` cannot be read: {reason[:1].lower()}{reason[1:]}", file_span(shown))
