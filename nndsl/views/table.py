"""A table of texts for a terminal: columns that give room to each other, cells that go on in the next line."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.diagnostics.terminal import char_cells, visible
from nndsl.records import mutable

_GAP = "  "
_WIDEST = 1000  # of a column, also where the terminal is endless: every row is as wide as the widest cell
_NARROWEST = 10  # what is left of a column that gives room to the others


@mutable
class Column:
    title: str
    cells: list[str]
    number: bool = False  # to the right, and never broken
    width: int = 0


def table(columns: list[Column], width: int | None) -> list[str]:
    """The lines: titles, a rule, the rows. `width` is that of the terminal; every character of a cell shows."""
    for column in columns:
        column.title = visible(column.title)
        column.cells = [visible(cell) for cell in column.cells]
        if not column.number and all(cell.replace(",", "").isdigit() or not cell for cell in column.cells):
            column.number = True
    _fit(columns, width)
    lines = [_line(columns, [column.title for column in columns])]
    lines.append("-" * (sum(column.width for column in columns) + len(_GAP) * (len(columns) - 1)))
    for texts in zip(*(column.cells for column in columns), strict=True):
        broken = [_broken(text, column.width) for text, column in zip(texts, columns, strict=True)]
        for number in range(max(map(len, broken))):
            lines.append(_line(columns, [part[number] if number < len(part) else "" for part in broken]))
    return lines


def over(columns: list[Column], width: int | None) -> int:
    """Gives the columns the width that they need, and how much that is more than there is room for."""
    for column in columns:
        column.width = min(max(map(_cells, [column.title, *column.cells])), _WIDEST)
    needed = sum(column.width for column in columns) + len(_GAP) * (len(columns) - 1)
    return 0 if width is None else needed - width


def _fit(columns: list[Column], width: int | None) -> None:
    """Takes from the widest columns of text what the terminal has no room for."""
    lacking = over(columns, width)
    while lacking > 0:
        widest = max((c for c in columns if not c.number), key=lambda c: c.width, default=None)
        if widest is None or widest.width <= _NARROWEST:
            return  # the terminal breaks the lines
        widest.width -= 1
        lacking -= 1


def _line(columns: list[Column], texts: Sequence[str]) -> str:
    padded = []
    for column, text in zip(columns, texts, strict=True):
        room = " " * (column.width - _cells(text))
        padded.append(room + text if column.number else text + room)
    return _GAP.join(padded).rstrip()


def _cells(text: str) -> int:
    return len(text) if text.isascii() else sum(map(char_cells, text))


def _broken(text: str, width: int) -> list[str]:
    """A cell's text in lines of at most `width`, broken after a comma, else another mark, where there is one."""
    lines = []
    while _cells(text) > width:
        at = used = 0
        for at, char in enumerate(text):  # noqa: B007
            used += char_cells(char)
            if used > width:
                break
        at = max(at, 1)
        comma, mark = text.rfind(",", 0, at), max(text.rfind(mark, 0, at) for mark in " _.*")
        at = next((place + 1 for place in (comma, mark) if place >= width // 2), at)
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*lines, text]
