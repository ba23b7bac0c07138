"""`history.csv`: a row for each epoch, or for each `evaluate_every` steps, with the names of Keras's logs."""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Iterable, Mapping, Sequence

from nndsl.files import write_text

History = list[dict[str, float]]
LARGEST = 256 * 2**20
"""Bytes of a history that is read: a million rows and more. A file from strangers may be any size."""
_TAIL = 2**16


class Damaged(Exception):
    """A file of a run folder that cannot be read; the text says why."""


class HistoryFile:
    """A history that grows, such that `read_history` gives the same numbers. Each row is put into words once, however
    often the file is written."""

    def __init__(self, path: str, rows: Iterable[Mapping[str, float]] = ()) -> None:
        self.path = path
        self._names: list[str] = []
        self._rows: list[dict[str, str]] = []
        self._text: list[str] = []
        for row in rows:
            self.take(row)

    def write(self) -> None:
        """Writes all rows, whole or not at all. Raises nndsl.files.CannotWrite."""
        write_text(self.path, "".join([*csv_lines([self._names]), *self._text]))

    def take(self, row: Mapping[str, float]) -> None:
        cells = {name: _number(value) for name, value in row.items()}
        self._rows.append(cells)
        new = [name for name in row if name not in self._names]
        self._names += new
        if new:
            self._text.clear()
        later = self._rows[len(self._text) :]
        self._text += csv_lines([each.get(name, "") for name in self._names] for each in later)


def read_history(path: str) -> History:
    """The rows: integers as int, all else as float, empty cells left out. Raises Damaged, with the line."""
    lines = _cells(path, io.StringIO(text_of(path, LARGEST)))
    if not lines:
        return []
    return [_row(path, number, lines[0], cells) for number, cells in enumerate(lines[1:], 2) if cells]


def last_row(path: str) -> tuple[list[str], dict[str, float]]:
    """The names of all columns and the last row ({} where there is none), from the two ends of the file. Raises
    Damaged."""
    with _opened(path) as stream:
        start = stream.read(_TAIL)
        stream.seek(max(os.fstat(stream.fileno()).st_size - _TAIL, 0))
        end = stream.read(_TAIL)
    names = next(iter(_cells(path, [start.decode("utf-8", "replace").partition("\n")[0]])), [])
    lines = end.decode("utf-8", "replace").rstrip().rpartition("\n")
    if not lines[1]:
        return names, {}
    return names, _row(path, None, names, next(iter(_cells(path, [lines[2]])), []))


def text_of(path: str, largest: int) -> str:
    """The text of a regular file of at most `largest` bytes. Raises Damaged."""
    with _opened(path) as stream:
        data = stream.read(largest + 1)
    if len(data) > largest:
        raise Damaged(f"{os.path.basename(path)} is larger than {largest:,} bytes")
    return _decoded(path, data)


def _opened(path: str) -> io.BufferedReader:
    """Without waiting for a pipe that bears the name of a file."""
    name = os.path.basename(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        stream = open(descriptor, "rb")  # noqa: SIM115
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise Damaged(f"there is no {name}" if missing else f"{name} cannot be read: {reason}") from None
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise Damaged(f"{name} is not a regular file")
    return stream


def _cells(path: str, lines: Iterable[str]) -> list[list[str]]:
    try:
        return list(csv.reader(lines))
    except csv.Error as error:
        raise Damaged(f"{os.path.basename(path)} is no table: {error}") from None


def _decoded(path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Damaged(f"{os.path.basename(path)} is not UTF-8 text") from None


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, int) else repr(float(value))


def csv_lines(rows: Iterable[Iterable[object]]) -> list[str]:
    """The rows of a table, as lines. (Python 3.11 puts a cell in quotes for those line ends alone that it writes
    itself, so it is given both.)"""
    lines: list[str] = []
    csv.writer(_Lines(lines), lineterminator="\r\n").writerows(rows)
    return lines


class _Lines:
    """What `csv` takes for a file: it writes a row at a time."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def write(self, row: str) -> None:
        self._lines.append(f"{row[:-2]}\n")


def _row(path: str, line: int | None, names: Sequence[str], cells: Sequence[str]) -> dict[str, float]:
    where = f"{os.path.basename(path)}, {'its last line' if line is None else f'line {line}'}"
    if len(cells) != len(names):
        raise Damaged(f"{where}: {len(cells)} cells under {len(names)} names")
    row: dict[str, float] = {}
    for name, cell in zip(names, cells, strict=True):
        if cell:
            try:
                row[name] = int(cell) if cell.lstrip("-").isdecimal() else float(cell)
            except ValueError:
                raise Damaged(f"{where}: `{cell[:40]}` is not a number") from None
    return row
