"""A summary as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nndsl.diagnostics.terminal import char_cells, visible
from nndsl.ir.dims import Dim
from nndsl.ir.types import show_shape
from nndsl.views.summary import Row, Summary

_GAP = "  "
_NARROWEST = 10  # what is left of a column that gives room to the others


@dataclass
class _Column:
    title: str
    cells: list[str]
    number: bool = False  # to the right, and never broken
    width: int = 0


def summary_text(summary: Summary, *, width: int | None = None) -> str:
    """The table and the totals. `width` is that of the terminal: cells that do not fit go on in the next line."""
    lines = [f"{summary.model} ({visible(summary.file)})", ""]
    lines += _table(_layers(summary.rows, width), width)
    lines += ["", *_totals(summary)]
    if summary.outputs:
        rows = [
            _Column("Output", [output.name for output in summary.outputs]),
            _Column("Layer", [output.value for output in summary.outputs]),
            _Column("Type", [str(output.type) for output in summary.outputs]),
            _Column("Loss", [output.loss or "none" for output in summary.outputs]),
            _Column("Weight", [f"{output.weight:g}" if output.loss else "" for output in summary.outputs], number=True),
        ]
        if any(output.metrics for output in summary.outputs):
            rows.append(_Column("Metrics", [", ".join(output.metrics) for output in summary.outputs]))
        lines += ["", *_table(rows, width)]
    if summary.submodels:
        lines += ["", *(f"submodel {text}" for text in summary.submodels)]
    if summary.facts:
        lines += ["", f"Sizes must satisfy: {', '.join(summary.facts)}"]
    return "\n".join(lines) + "\n"


def _layers(rows: Sequence[Row], width: int | None) -> list[_Column]:
    columns = _columns(rows)
    if _over(columns, width) > 0:  # most inputs are the row above: their names can be spared
        inputs = columns[2].cells
        for number in range(1, len(rows)):
            if inputs[number] == columns[0].cells[number - 1]:
                inputs[number] = "(above)"
    return columns


def _columns(rows: Sequence[Row]) -> list[_Column]:
    return [
        _Column("Layer", [f"{row.name} (call {row.call})" if row.calls > 1 else row.name for row in rows]),
        _Column("Type", [row.type for row in rows]),
        _Column("Inputs", [", ".join(row.inputs) for row in rows]),
        _Column("Output", [", ".join(show_shape(type_.shape) for type_ in row.results) for row in rows]),
        _Column("Parameters", [_parameters(row) for row in rows], number=True),
        _Column("Multiply-adds", [_adds(row) for row in rows]),
    ]


def _parameters(row: Row) -> str:
    if row.type == "Input":
        return ""
    return "shared" if row.call > 1 else f"{row.parameters:,}"


def _adds(row: Row) -> str:
    return "" if row.type == "Input" else _count(row.multiply_adds)


def _count(dim: Dim | None) -> str:
    if dim is None:
        return "(a long formula)"
    return f"{dim:,}" if isinstance(dim, int) else str(dim)


def _totals(summary: Summary) -> list[str]:
    total = summary.trainable + summary.frozen
    rows = [("Parameters", f"{total:,} ({in_bytes(summary.size)}, {summary.float_dtype})")]
    if summary.frozen:
        rows += [("  trainable", f"{summary.trainable:,}"), ("  not trainable", f"{summary.frozen:,}")]
    rows.append(("Multiply-adds", f"{_count(summary.multiply_adds)} for one sample"))
    widest = max(len(name) for name, _ in rows) + 1
    return [f"{name + ':':<{widest}}  {text}" for name, text in rows]


def in_bytes(size: int) -> str:
    """A number of bytes in words: "39.0 KiB"."""
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"


def _table(columns: list[_Column], width: int | None) -> list[str]:
    for column in columns:
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


def _over(columns: list[_Column], width: int | None) -> int:
    """Gives the columns the width that they need, and how much that is more than there is room for."""
    for column in columns:
        column.width = max(map(_cells, [column.title, *column.cells]))
    needed = sum(column.width for column in columns) + len(_GAP) * (len(columns) - 1)
    return 0 if width is None else needed - width


def _fit(columns: list[_Column], width: int | None) -> None:
    """Takes from the widest columns of text what the terminal has no room for."""
    over = _over(columns, width)
    while over > 0:
        widest = max((c for c in columns if not c.number), key=lambda c: c.width, default=None)
        if widest is None or widest.width <= _NARROWEST:
            return  # the terminal breaks the lines
        widest.width -= 1
        over -= 1


def _line(columns: list[_Column], texts: Sequence[str]) -> str:
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
