"""Did you mean: the candidates that a word was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

# No name of the language is longer; a longer word would only make the search slow.
_LONGEST = 48
_MOST = 2000  # candidates; the catalogue has 250, and more than this only a text that was made by a program


def _fold(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")


def _words(name: str) -> frozenset[str]:
    """The words of `input_posts`, whatever their order."""
    return frozenset(name.casefold().split("_")) - {""}


def _distance(a: str, b: str, cutoff: int) -> int:
    """Damerau-Levenshtein distance (insert, delete, replace, swap neighbours), or `cutoff + 1` when it is more."""
    if abs(len(a) - len(b)) > cutoff:
        return cutoff + 1
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > cutoff and min(last) > cutoff:
            return cutoff + 1
        before, last = last, row
    return min(last[-1], cutoff + 1)


def _cutoff(a: str, b: str) -> int:
    """One mistake in three characters; in a word of two the first must be right."""
    longest = max(len(a), len(b))
    if longest == 2:
        return 1 if a[:1] == b[:1] else 0
    return min(longest // 3, 4)


def suggest(word: str, candidates: Iterable[str], limit: int = 3) -> list[str]:
    """The candidates nearest to `word`, the nearest first, then by text.

    A candidate that differs only in case and underscores is the answer alone (`maxpooling2d` is `MaxPooling2D`).
    Else those count whose Damerau-Levenshtein distance is at most a third of the length and no more than one worse
    than the best; and where there is none, those that have its words and more (`posts` for `input_posts`, or the other
    way round), or begin with it, or with which it begins. The same words in another order are the answer alone.
    """
    names = tuple(candidates)
    return list(_found(word, names, limit)) if len(names) <= _MOST else []


@lru_cache(maxsize=256)
def _found(word: str, names: tuple[str, ...], limit: int) -> list[str]:
    """What `suggest` gives. Kept, since a mistake in a body that is repeated is met in each of its rounds."""
    folded = _fold(word)
    if not folded:
        return []
    known = {candidate: _fold(candidate) for candidate in names if candidate != word}
    same = sorted(candidate for candidate, text in known.items() if text == folded)
    if same or len(folded) > _LONGEST:
        return same[:limit]
    turned = sorted(candidate for candidate in known if "_" in candidate and _words(candidate) == _words(word))
    if turned:
        return turned[:limit]
    near: list[tuple[int, str]] = []
    for candidate, text in known.items():
        cutoff = _cutoff(folded, text)
        distance = _distance(folded, text, cutoff)
        if distance <= cutoff:
            near.append((distance, candidate))
    if near:
        near.sort()
        return [candidate for distance, candidate in near if distance <= near[0][0] + 1][:limit]
    if len(folded) < 4:
        return []
    inside = sorted(
        (abs(len(text) - len(folded)), candidate)
        for candidate, text in known.items()
        if len(text) >= 4 and (_words(candidate) < _words(word) or _words(word) < _words(candidate))
    )
    if inside:
        return [candidate for _, candidate in inside][:limit]
    begin = [
        (abs(len(text) - len(folded)), candidate)
        for candidate, text in known.items()
        if text.startswith(folded) or (len(text) >= 4 and folded.startswith(text))
    ]
    return [candidate for _, candidate in sorted(begin)[:limit]]


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """The help sentence ("did you mean `units`?"), or None where nothing is near."""
    found = [f"`{name}`" for name in suggest(word, candidates)]
    if not found:
        return None
    if len(found) == 1:
        return f"did you mean {found[0]}?"
    return f"did you mean {', '.join(found[:-1])} or {found[-1]}?"
