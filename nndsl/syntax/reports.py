"""What the parser has to say: collected from all its steps, put in order, and cut off where it gets too much."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

from nndsl.diagnostics.model import Diagnostic, Edit, Fix, Label, Problems
from nndsl.source import SourceFile, Span

TOO_MANY_ERRORS = "NN0190"
RESERVED_NAME = "NN0115"
BAD_NUMBER = "NN0106"

SHOWN = 20
KEPT = 400  # more are not even stored: a file of garbage must not fill the memory


class Reports:
    """The syntax errors of one file. One statement gives one error: see `blamed`."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._found: list[Diagnostic] = []
        self._places: list[int] = []

    def error(self, code: str, message: str, start: int, end: int, label: str = "", **more: Any) -> None:
        """`more`: related, notes, help and fixes of a Diagnostic."""
        insort(self._places, start)
        if len(self._found) < KEPT:
            self._found.append(Diagnostic(code, message, Label(self.span(start, end), label), **more))

    def blamed(self, start: int, end: int) -> bool:
        """Whether an error was reported in this range already: what follows from it is not reported again."""
        at = bisect_left(self._places, start)
        return at < len(self._places) and self._places[at] <= end

    @property
    def is_full(self) -> bool:
        return len(self._found) >= KEPT

    def span(self, start: int, end: int) -> Span:
        return Span(self.file, start, end)

    def label(self, start: int, end: int, message: str) -> Label:
        return Label(self.span(start, end), message)

    def fix(self, title: str, *edits: tuple[int, int, str]) -> tuple[Fix, ...]:
        """One fix, each edit given as (start, end, text)."""
        return (Fix(title, tuple(Edit(self.span(start, end), text) for start, end, text in edits)),)

    def deliver(self, problems: Problems) -> None:
        self._found.sort(key=lambda d: (d.primary.span.start, d.code))
        self._found = _one_for_each_word(self._found)
        for diagnostic in self._found[:SHOWN]:
            problems.add(diagnostic)
        if len(self._found) > SHOWN:
            rest = self._found[SHOWN].primary.span
            problems.error(
                TOO_MANY_ERRORS,
                f"too many syntax errors: only the first {SHOWN} are shown",
                rest,
                "further errors from here on are not shown",
                help="correct those above and check again",
            )


def _one_for_each_word(found: list[Diagnostic]) -> list[Diagnostic]:
    """A word that cannot be a name is one mistake, however often it is used."""
    result: list[Diagnostic] = []
    said: set[str] = set()
    for diagnostic in found:
        once = diagnostic.code in (RESERVED_NAME, BAD_NUMBER) or diagnostic.message.endswith("cannot be a name")
        if not once or diagnostic.message not in said:
            result.append(diagnostic)
            said.add(diagnostic.message)
    return result
