"""Positions in an editor's terms: a line and a column in the units that the client has chosen (UTF-16 unless it says
otherwise), where a line ends at `\\n`, `\\r\\n` or `\\r` alone, and at nothing else."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from lsprotocol import types

from nndsl.source import Span

_ENDS = re.compile(r"\r\n|\n|\r")
_UNITS: dict[str, Callable[[str], int]] = {
    types.PositionEncodingKind.Utf8: lambda character: len(character.encode("utf-8", "surrogatepass")),
    types.PositionEncodingKind.Utf16: lambda character: 1 + (ord(character) > 0xFFFF),
    types.PositionEncodingKind.Utf32: lambda character: 1,
}


class Lines:
    """The lines of one text. Conversions take time in the length of a line, and none where it is ASCII."""

    def __init__(self, text: str, encoding: str = types.PositionEncodingKind.Utf16) -> None:
        self.text = text
        self.units = _UNITS[encoding]
        self.starts = [0, *(found.end() for found in _ENDS.finditer(text))]
        self._ascii = text.isascii()
        self._last = (0, 0, 0)  # (start, end, width) that was measured last: questions mostly go on from there

    def position(self, offset: int) -> types.Position:
        """Where the character at a code-point offset stands."""
        line = bisect_right(self.starts, offset) - 1
        start = self.starts[line]
        return types.Position(line, self._width(start, offset))

    def offset(self, position: types.Position) -> int:
        """The offset of a position; one behind the end of its line is that end, as the protocol says."""
        if position.line >= len(self.starts):
            return len(self.text)
        start = self.starts[position.line]
        end = self.starts[position.line + 1] if position.line + 1 < len(self.starts) else len(self.text)
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        if self._ascii or self.text[start:end].isascii():
            return min(start + position.character, end)
        width, at = 0, start
        while at < end and width < position.character:
            width += self.units(self.text[at])
            at += 1
        return at

    def range(self, start: int, end: int) -> types.Range:
        return types.Range(self.position(start), self.position(end))

    def span(self, span: Span) -> types.Range:
        return self.range(span.start, span.end)

    def _width(self, start: int, end: int) -> int:
        if self._ascii:
            return end - start
        line, before, width = self._last
        if line != start or before > end:
            before, width = start, 0
        text = self.text[before:end]
        width += len(text) if text.isascii() else sum(map(self.units, text))
        self._last = (start, end, width)
        return width
