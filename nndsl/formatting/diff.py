"""The difference of a text and its formatted one, line by line, in time that many lines do not make endless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_AROUND = 3  # lines that are shown around a change
_MOST = 4_000_000  # pairs of lines that are compared; past these all of the lines are one change

Change = tuple[int, int, int, int]  # lines of the one text, from and to, and of the other


def unified(before: Sequence[str], after: Sequence[str], name: str, other: str) -> Iterator[str]:
    """A unified diff, line by line; nothing where both are the same."""
    hunks: list[list[Change]] = []
    for change in _changes(before, after):
        if hunks and change[0] - hunks[-1][-1][1] <= 2 * _AROUND:
            hunks[-1].append(change)
        else:
            hunks.append([change])
    if hunks:
        yield from (f"--- {name}", f"+++ {other}")
    for hunk in hunks:
        head, tail = min(_AROUND, hunk[0][0]), min(_AROUND, len(before) - hunk[-1][1])
        first, last = hunk[0][0] - head, hunk[-1][1] + tail
        yield f"@@ -{_range(first, last)} +{_range(hunk[0][2] - head, hunk[-1][3] + tail)} @@"
        for start, end, start_after, end_after in hunk:
            yield from (f" {line}" for line in before[first:start])
            yield from (f"-{line}" for line in before[start:end])
            yield from (f"+{line}" for line in after[start_after:end_after])
            first = end
        yield from (f" {line}" for line in before[first:last])


def _range(first: int, last: int) -> str:
    """As in `diff -u`."""
    count = last - first
    return str(first + 1) if count == 1 else f"{first + bool(count)},{count}"


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    """Where the texts differ. The lines that each of them has once divide both, and what stands between two of these is
    compared by itself: `difflib` takes the square of all lines where every other one has changed."""
    at = at_after = 0
    for place, place_after in [*_anchors(before, after), (len(before), len(after))]:
        for start, end, start_after, end_after in _between(before[at:place], after[at_after:place_after]):
            yield at + start, at + end, at_after + start_after, at_after + end_after
        at, at_after = place + 1, place_after + 1


def _anchors(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the lines stand that each text has once, as far as they stand in one order."""
    counts, others = Counter(before), Counter(after)
    places = {line: place for place, line in enumerate(after)}
    last = -1
    for place, line in enumerate(before):
        if counts[line] == others[line] == 1 and places[line] > last:
            last = places[line]
            yield place, last


def _between(before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    if len(before) * len(after) > _MOST:
        yield 0, len(before), 0, len(after)
        return
    for kind, *change in SequenceMatcher(None, before, after).get_opcodes():
        if kind != "equal":
            start, end, start_after, end_after = change
            yield start, end, start_after, end_after
