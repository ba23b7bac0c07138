"""CSV files: tables of numbers, read with the place of everything that is wrong."""

from __future__ import annotations

import csv
import io
import itertools
import warnings
from collections.abc import Iterator
from typing import IO, Any, TextIO, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Diagnostic, Label
from nndsl.runtime.arrays import regular
from nndsl.runtime.column_names import Columns, WithColumns
from nndsl.runtime.report import DataProblem, file_span, line_span, unreadable, warning
from nndsl.runtime.scratch import Growing, Spooled, picked
from nndsl.source import Span

Array: TypeAlias = npt.NDArray[Any]

MAX_COLUMNS = 100_000
MAX_TEXT = 2 * 2**30
"""Characters of a column of text, which is held in memory."""
MAX_LINE = 16 * 2**20
CHUNK = 8 * 2**20
"""About how many bytes of numbers are read at a time."""
KINDS = {
    b"PK": "an archive: an .npz of NumPy, or an Excel workbook, which is saved as CSV first",
    b"\x93NUMPY": "an array of NumPy: give it the ending .npy",
    b"PAR1": "a parquet file: give it the ending .parquet",
    b"\x1f\x8b": "compressed: unpack it with `gunzip`",
    b"\xff\xfe": "text in UTF-16: save it in UTF-8",
    b"\xfe\xff": "text in UTF-16: save it in UTF-8",
}
"""What begins with these bytes is no table."""


class Table(WithColumns):
    """One CSV file. `names` are the names of its columns, or None without a header; `rows` how many it has.

    The numbers of a large table lie in a file without a name, which is mapped: reading takes one pass, two where cells
    hold words, and a bounded memory.
    """

    def __init__(
        self,
        path: str,
        shown: str,
        *,
        header: bool | None = True,
        delimiter: str = ",",
        spooled: IO[bytes] | None = None,
    ) -> None:
        """`header` None: the file has one if its first line holds a cell that is no number. `spooled` is read in place
        of `path`. Raises DataProblem."""
        self.path, self.shown, self.delimiter, self.spooled = path, shown, delimiter, spooled
        self.warnings: list[Diagnostic] = []
        if spooled is None:
            regular(path, shown)
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
        self._bad: dict[int, tuple[int, str]] = {}
        """By column the first row whose cell is no number, and the cell."""
        quick = self._quick()
        self._all = self._slow() if quick is None else quick
        self.rows = len(self._all)
        if self.rows == 0:
            raise DataProblem(
                "NN0607", f"{shown} holds no row of data", file_span(shown),
                help="its first line is read as the names of the columns" if self.has_header else None,
            )  # fmt: skip

    # -------------------------------------------------------------------------------------- reading

    def _open(self) -> TextIO:
        if self.spooled is None:
            return open(self.path, encoding="utf-8-sig", newline="")
        return io.TextIOWrapper(io.BufferedReader(Spooled(self.spooled)), encoding="utf-8-sig", newline="")

    def _text_lines(self, stream: TextIO) -> Iterator[str]:
        """The lines of the text, none of them endless."""
        while line := stream.readline(MAX_LINE):
            if len(line) == MAX_LINE and not line.endswith("\n"):
                raise DataProblem(
                    "NN0702", f"{self.shown} has a line of more than {MAX_LINE >> 20} million characters",
                    file_span(self.shown), help="a table has one row a line",
                )  # fmt: skip
            yield line

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """(line of the file, cells) of each row that is not empty. Raises DataProblem."""
        line = 0
        try:
            with self._open() as stream:
                reader = csv.reader(self._text_lines(stream), delimiter=self.delimiter, strict=True)
                for cells in reader:
                    start, line = line + 1, reader.line_num
                    if cells and (len(cells) > 1 or cells[0].strip()):
                        yield start, cells
        except UnicodeDecodeError:
            raise DataProblem(
                "NN0607",
                f"{self.shown} is not UTF-8 text",
                file_span(self.shown),
                help=self._other_kind() or "save it as a CSV file in UTF-8",
            ) from None
        except csv.Error as error:
            raise self._bad_quotes(line + 1, str(error)) from None
        except OSError as error:
            raise unreadable(self.shown, error) from None

    def _bad_quotes(self, line: int, error: str) -> DataProblem:
        """What the csv module says of a row that begins in `line`, which is mostly about quotes."""
        with self._open() as stream:
            text = next(itertools.islice(self._text_lines(stream), line - 1, None), "").rstrip("\r\n")[:200]
        if "field larger" in error:
            message, help = f"a cell in line {line} of {self.shown} is longer than 131,072 characters", None
        elif error.startswith("unexpected end"):
            message, help = f"a quote that opens in line {line} of {self.shown} is never closed", 'close it: `"…"`'
        else:
            message = f"line {line} of {self.shown} is no row of CSV: {error}"
            help = "a cell in quotes ends with its quote; a quote inside of it is written twice"
        if "\0" in error or "NUL" in error:
            help = "save it as plain text"
        return DataProblem("NN0607", message, line_span(self.shown, line, text), help=help)

    def _other_kind(self) -> str | None:
        """What the file is by its first bytes, where it is no text."""
        with self._open() as stream:
            head = stream.buffer.read(8)
        for mark, kind in KINDS.items():
            if head.startswith(mark):
                return f"this is {kind}"
        return None

    def _first_line(self) -> list[str]:
        first = next(self.lines(), None)
        if first is None:
            raise DataProblem(
                "NN0607", f"{self.shown} is empty", file_span(self.shown), help="a table has one row of numbers a line"
            )
        if len(first[1]) > MAX_COLUMNS:
            raise DataProblem(
                "NN0702", f"{self.shown} has more than {MAX_COLUMNS:,} columns", file_span(self.shown),
                help="save the numbers with `numpy.savez`, and read them with `npz`",
            )  # fmt: skip
        return first[1]

    def _quick(self) -> npt.NDArray[np.float64] | None:
        """The whole table by NumPy's own parser, or None where it is not all numbers."""
        rows = max(CHUNK // (8 * self.width), 1)
        numbers = Growing(self.shown)
        try:
            with self._open() as stream, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of an empty table, which is reported elsewhere
                lines = self._text_lines(stream)
                skip = 1 if self.has_header else 0
                while True:
                    values = np.loadtxt(
                        lines,
                        delimiter=self.delimiter,
                        skiprows=skip,
                        comments=None,
                        quotechar='"',
                        max_rows=rows,
                        ndmin=2,
                    )
                    if values.shape[1:] == (self.width,) and len(values):
                        numbers.add(values)
                    elif values.size or not numbers.rows:
                        return None
                    if len(values) < rows:
                        return numbers.done()
                    skip = 0
        except (ValueError, OSError):
            return None

    def _slow(self) -> npt.NDArray[np.float64]:
        """The whole table cell by cell: what is no number becomes 0, and is reported when its column is asked for."""
        lines = self.lines()
        if self.has_header:
            next(lines, None)
        numbers = Growing(self.shown)
        chunk: list[list[float]] = []
        most = max(CHUNK // (32 * self.width), 1)  # a float of Python takes more room
        for row, (line, cells) in enumerate(lines):
            if len(cells) != self.width:
                raise self._ragged(line, cells)
            found = [_number(cell) for cell in cells]
            if None in found:
                for column, value in enumerate(found):
                    if value is None:
                        self._bad.setdefault(column, (row, cells[column]))
            chunk.append([0.0 if value is None else value for value in found])
            if len(chunk) == most:
                numbers.add(np.array(chunk))
                chunk = []
        if chunk or not numbers.rows:
            numbers.add(np.array(chunk, dtype=np.float64).reshape(len(chunk), self.width))
        return numbers.done()

    def _ragged(self, line: int, cells: list[str]) -> DataProblem:
        text = self.delimiter.join(cells)
        wanted = f"{self.width} column{'' if self.width == 1 else 's'}"
        return DataProblem(
            "NN0607",
            f"line {line} of {self.shown} has {len(cells)} cell{'' if len(cells) == 1 else 's'}, and the "
            f"first line has {self.width}",
            line_span(self.shown, line, text[:200]),
            help=f"every line of a table has the same number of columns; is this one of {wanted}?"
            if len(cells) > 1
            else self._other_delimiter(text),
        )

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
        if bad := [(self._bad[number][0], number) for number in numbers if number in self._bad]:
            raise self._bad_cell(*min(bad), span)
        return self._all[:, numbers[0]] if one else picked(self._all, numbers, self.shown)

    def text(self, key: Columns, span: Span) -> Array:
        """One column as text, [rows] of StringDType. Raises DataProblem."""
        number = self.text_number(key, span)
        lines = self.lines()
        if self.has_header:
            next(lines, None)
        found: Array = np.empty(self.rows, np.dtypes.StringDType())
        size = 0
        for row, (line, cells) in enumerate(lines):
            if row == self.rows or len(cells) != self.width:
                raise self._ragged(line, cells)
            found[row] = cells[number]
            size += len(cells[number])
            if size > MAX_TEXT:
                raise DataProblem(
                    "NN0702", f"{self.title(number)} of {self.shown} holds more than {MAX_TEXT >> 30} billion "
                    "characters", file_span(self.shown), help="take fewer rows",
                )  # fmt: skip
        return found

    # --------------------------------------------------------------------------------------- places

    def cell_span(self, row: int, column: int) -> tuple[Span, int]:
        """The place of a cell, and its line."""
        lines = self.lines()
        line, cells = next(itertools.islice(lines, row + bool(self.has_header), None))
        start = sum(len(cell) + 1 for cell in cells[:column])
        text = self.delimiter.join(cells)
        return line_span(self.shown, line, text, start, start + max(len(cells[column]), 1)), line

    def _bad_cell(self, row: int, column: int, span: Span) -> DataProblem:
        place, line = self.cell_span(row, column)
        cell = self._bad[column][1].strip()
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
                else "make class ids of words with `-> classes()`, or word ids with `-> tokens(…)`"
            )
        return DataProblem("NN0606", message, place, related=(Label(span, "read here"),), help=help)


def _number(cell: str) -> float | None:
    """The number that a cell holds (nan and inf too), or None."""
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None
