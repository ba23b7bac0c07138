"""Source text and places in it."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import Any

from nndsl.records import record


class SourceFile:
    """One file of source text; `name` is what messages call it (a path, `<stdin>`, …). It is never changed.

    Offsets count code points of `text`. Lines end at `\\n`; a `\\r` before it belongs to the line's end.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.parsed: Any = None  # what `syntax.parse` made of it: it is parsed once, whoever asks

    def __repr__(self) -> str:
        return f"SourceFile(name={self.name!r})"

    @cached_property
    def line_starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def line_of(self, offset: int) -> int:
        """The 1-based line that holds the character at `offset`."""
        return bisect_right(self.line_starts, offset)

    def column_of(self, offset: int) -> int:
        """The 1-based column, in code points, of the character at `offset`."""
        return offset - self.line_starts[self.line_of(offset) - 1] + 1

    def line_text(self, line: int) -> str:
        """The text of a 1-based line, without its line end."""
        start = self.line_starts[line - 1]
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@record
class Span:
    """The half-open range `start:end` of a file's text, in code points."""

    file: SourceFile
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.file.text[self.start : self.end]

    @property
    def line(self) -> int:
        return self.file.line_of(self.start)

    @property
    def column(self) -> int:
        return self.file.column_of(self.start)

    @property
    def end_line(self) -> int:
        return self.file.line_of(self.end)

    @property
    def end_column(self) -> int:
        return self.file.column_of(self.end)

    def to(self, other: Span) -> Span:
        """The range from this one's start to `other`'s end."""
        return Span(self.file, self.start, other.end)
