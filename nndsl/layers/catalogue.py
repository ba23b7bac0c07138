"""The catalogue's index. Families are imported when one of their names is used: the index itself is read off the
`@entry(…)` lines of the files in `families/`, without importing them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from nndsl.layers.entry import Entry, snake_case

if TYPE_CHECKING:
    from nndsl.layers.left_out import LeftOut

_ENTRY = re.compile(r"^@entry\((.*?)\)\nclass (\w+)", re.MULTILINE | re.DOTALL)
_STRING = re.compile(r'"([^"]*)"')


@cache
def _index() -> dict[str, dict[str, tuple[str, str, bool]]]:
    """category → name → (module, class, whether the name is a former one).

    A layer bears its class's name and a function the same in snake case; everything else bears both.
    """
    index: dict[str, dict[str, tuple[str, str, bool]]] = {}
    for file in sorted((Path(__file__).parent / "families").glob("*.py")):
        for head, name in _ENTRY.findall(file.read_text(encoding="utf-8")):
            today, _, formerly = head.partition("formerly=")
            category, *aliases = _STRING.findall(today)
            names = index.setdefault(category, {})
            own = {"layer": (name,), "function": (snake_case(name),)}.get(category, (name, snake_case(name)))
            for alias in (*own, *aliases):
                names[alias] = (file.stem, name, False)
            for old in _STRING.findall(formerly):
                names.setdefault(old, (file.stem, name, True))
    return index


@cache
def _load(module: str, name: str) -> type[Entry]:
    found: type[Entry] = getattr(import_module(f"nndsl.layers.families.{module}"), name)
    return found


def find(category: str, name: str) -> type[Entry] | None:
    """The entry that bears `name` (its own name or an alias), or None."""
    place = _index().get(category, {}).get(name)
    return None if place is None or place[2] else _load(place[0], place[1])


def find_former(category: str, name: str) -> type[Entry] | None:
    """The entry that Keras 1 or 2 called `name`, or None."""
    place = _index().get(category, {}).get(name)
    return _load(place[0], place[1]) if place is not None and place[2] else None


def names(category: str) -> list[str]:
    """The names that a file may use, sorted, aliases too."""
    return sorted(name for name, (_, _, former) in _index().get(category, {}).items() if not former)


def categories() -> list[str]:
    return sorted(_index())


def entries(category: str) -> Iterator[type[Entry]]:
    """Every entry of a category, sorted by name (imports all its families)."""
    for module, cls in sorted({(m, c) for m, c, _ in _index().get(category, {}).values()}, key=lambda p: p[1]):
        yield _load(module, cls)


def is_known(name: str) -> bool:
    """Whether a layer or function of the catalogue bears this very name, so that a file cannot define it anew."""
    return find("layer", name) is not None


def spelling(cls: type[Entry]) -> str:
    """How a file writes the entry: a layer by its class, an option (`relu`, `glorot_uniform`) in snake case."""
    by_class = ("layer", "optimizer", "optimizer_map", "callback")
    return cls.__name__ if cls.category in by_class else snake_case(cls.__name__)


def refusal(category: str, name: str) -> LeftOut | None:
    """Why a name of Keras is left out on purpose and what to take instead, or None."""
    from nndsl.layers import left_out

    return left_out.left_out(category, name)


def argument_advice(cls: type[Entry], name: str) -> str | None:
    """What to say of an argument that an entry does not have but people give it."""
    from nndsl.layers import foreign

    return cls.advice(name) or foreign.argument_advice(name, list(cls.arguments))
