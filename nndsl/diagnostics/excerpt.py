"""The piece of source text that a diagnostic shows, with its labels underlined."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import groupby

from nndsl.diagnostics.model import Label
from nndsl.diagnostics.terminal import lay_out, visible
from nndsl.records import record
from nndsl.source import SourceFile

Row = list[tuple[str, str]]
"""One line of output: pieces of a role and a text."""

_CUT = "..."
_MOST_TO_A_CELL = 4


@record
class Mark:
    """A label on its line: `start` and `end` are columns (code points from 0), in rows they are cells."""

    line: int
    start: int
    end: int
    message: str
    role: str

    @property
    def sign(self) -> str:
        return "-" if self.role == "related" else "^"


def mark_of(label: Label, role: str) -> Mark:
    """Where a label is underlined. Of a span over several lines that is its first line, to the line's end."""
    span, file = label.span, label.span.file
    line = span.line
    text = file.line_text(line)
    first = span.start - file.line_starts[line - 1]
    last_line = file.line_of(max(span.start, span.end - 1))
    message = visible(label.message)
    if last_line == line:
        end = span.end - file.line_starts[line - 1]
        return Mark(line, min(first, len(text)), min(end, len(text)), message, role)
    message = f"{message} (to line {last_line})" if message else f"to line {last_line}"
    return Mark(line, min(first, len(text)), max(first, len(text.rstrip())), message, role)


def gutter(number: int | None, width: int) -> Row:
    shown = "" if number is None else str(number)
    return [("gutter", f" {shown:>{width}} |")]


def excerpt(file: SourceFile, marks: Sequence[Mark], width: int, room: int) -> list[Row]:
    """The lines of `file` that have marks, each above its marks.

    `width` is that of the line numbers, `room` the cells that a source line may take before it is trimmed. A single
    line between two marked ones is shown, several are `...`.
    """
    rows: list[Row] = []
    before = 0
    ordered = sorted(marks, key=lambda mark: mark.line)
    for line, group in groupby(ordered, key=lambda mark: mark.line):
        if before and line == before + 2:
            rows += _line(file, before + 1, [], width, room)
        elif before and line > before + 2:
            rows.append([("gutter", _CUT)])
        rows += _line(file, line, list(group), width, room)
        before = line
    return rows


def _line(file: SourceFile, line: int, marks: list[Mark], width: int, room: int) -> list[Row]:
    shown, starts = lay_out(file.line_text(line))
    first, last = _window(starts, marks, room)
    text = "".join(shown[first:last])
    shift = starts[first]
    if first:
        text, shift = _CUT + text, shift - len(_CUT)
    right = starts[last] - shift
    if last < len(shown):
        text += _CUT
    text = text.rstrip()
    rows = [gutter(line, width) + ([("", " " + text)] if text else [])]
    if marks:
        # A mark outside the window stands at its edge.
        left = len(_CUT) if first else 0
        spots = []
        for mark in marks:
            start = min(max(starts[mark.start] - shift, left), right)
            end = min(max(starts[mark.end] - shift, start + 1), max(right, start + 1))
            spots.append(Mark(line, start, end, mark.message, mark.role))
        rows += [[*gutter(None, width), ("", " "), *row] for row in _mark_rows(spots)]
    return rows


def _window(starts: Sequence[int], marks: list[Mark], room: int) -> tuple[int, int]:
    """The range of columns to show of a line: all of it, or as much as there is room for around its marks."""
    count = len(starts) - 1
    if starts[-1] <= room and count <= _MOST_TO_A_CELL * room:
        return 0, count
    room = max(room - 2 * len(_CUT), 1)
    left, right = 0, 0
    if marks:
        left, right = min(starts[m.start] for m in marks), max(starts[m.end] for m in marks)
        if right - left > room:  # not all of them fit: the primary one is what matters
            chief = next((m for m in marks if m.role != "related"), marks[0])
            left, right = starts[chief.start], starts[chief.end]
    spare = max(room - (right - left), 0)
    low = min(left - spare // 2, starts[-1] - room) if left > spare // 2 else 0
    first = bisect_left(starts, low)
    while 0 < first < count and starts[first + 1] == starts[first]:
        first += 1  # never begin with a combining mark
    last = first
    most = first + _MOST_TO_A_CELL * room  # characters that take no cell would have no end
    while last < min(count, most) and starts[last + 1] - starts[first] <= room:
        last += 1
    return first, last


def _mark_rows(spots: list[Mark]) -> list[Row]:
    """The underlines, the message of the rightmost label beside them, those of the others below, hanging on bars."""
    cells: dict[int, tuple[str, str]] = {}
    for spot in sorted(spots, key=lambda s: s.role != "related"):  # the primary one is drawn over the others
        cells.update(dict.fromkeys(range(spot.start, spot.end), (spot.role, spot.sign)))
    rightmost = max(spots, key=lambda s: (s.end, s.role != "related", s.start))
    row = _row(cells)
    if rightmost.message:
        row.append((rightmost.role, " " + rightmost.message))
    rows = [row]
    hung = [spot for spot in spots if spot is not rightmost and spot.message]
    hung.sort(key=lambda s: (-s.start, s.role == "related"))
    if hung:
        rows.append(_row(_bars(hung)))
    for i, spot in enumerate(hung):
        bars = _bars(s for s in hung[i + 1 :] if s.start < spot.start)
        row = _row(bars)
        used = max(bars, default=-1) + 1
        rows.append([*row, ("", " " * (spot.start - used)), (spot.role, spot.message)])
    return rows


def _bars(spots: Iterable[Mark]) -> dict[int, tuple[str, str]]:
    return {spot.start: (spot.role, "|") for spot in reversed(list(spots))}


def _row(cells: dict[int, tuple[str, str]]) -> Row:
    """Signs at their cells, blanks between, as pieces of one role each."""
    line = [cells.get(at, ("", " ")) for at in range(max(cells, default=-1) + 1)]
    return [(role, "".join(sign for _, sign in group)) for role, group in groupby(line, key=lambda cell: cell[0])]
