"""Entries made without a file: the defaults of arguments, and instances for tests and manuals."""

from __future__ import annotations

from functools import cache
from typing import Any

from nndsl.layers import catalogue
from nndsl.layers.entry import Arg, Entry, Kind
from nndsl.layers.kinds import Either, Maybe, Of


def default_of(argument: Arg) -> object:
    """The value of an argument that the file does not give: nested entries are made from their names."""
    if isinstance(argument.default, str):
        category = category_of(argument.kind)
        if category is not None:
            return _default_entry(category, argument.default)
    return argument.default


def category_of(kind: Kind[Any]) -> str | None:
    """The category of the entries that a kind takes, or None."""
    match kind:
        case Of():
            return kind.category
        case Maybe():
            return category_of(kind.kind)
        case Either():
            return next((found for inner in kind.kinds if (found := category_of(inner))), None)
    return None


@cache
def _default_entry(category: str, name: str) -> Entry:
    cls = catalogue.find(category, name)
    if cls is None:
        raise LookupError(f"the catalogue has no {category} called {name}")
    return cls({}, default_of)


def make(category: str, name: str, /, **given: object) -> Any:
    """An entry as if a file had given these checked values."""
    cls = catalogue.find(category, name)
    if cls is None:
        raise LookupError(f"the catalogue has no {category} called {name}")
    entry = cls(given, default_of)
    for common, argument in getattr(cls, "common", {}).items():
        setattr(entry, common, given.get(common, argument.default))
    entry.check()
    return entry
