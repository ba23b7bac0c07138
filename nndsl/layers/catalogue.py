"""The catalogue's index. Families are imported when one of their names is used: the index itself is made of the
`@entry(…)` lines of the files in `families/`, without importing them, and shipped as `index.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from nndsl import resources
from nndsl.layers.entry import Entry, snake_case

if TYPE_CHECKING:
    from nndsl.layers.left_out import LeftOut

Index = dict[str, dict[str, tuple[str, str, bool]]]
_FAMILIES = os.path.join(os.path.dirname(__file__), "families")


@cache
def _index() -> Index:
    """category → name → (module, class, whether the name is a former one). In a checkout it is read anew where a
    family was changed after the shipped index was made."""
    from nndsl.layers import index as shipped  # here, so that a broken one can be made anew

    if resources.is_checkout() and is_stale(_FAMILIES, shipped.__file__, shipped.FILES):
        return read_index(_FAMILIES)
    return shipped.INDEX


def is_stale(families: str, made: str, files: list[str]) -> bool:
    """Whether the folder holds other files than an index was made of, or one that is younger than the index."""
    since = os.stat(made).st_mtime_ns
    with os.scandir(families) as found:
        times = {item.name: item.stat().st_mtime_ns for item in found if item.name.endswith(".py")}
    return sorted(times) != files or max(times.values()) > since


def read_index(families: str) -> Index:
    """The index of the files in a folder of families.

    A layer bears its class's name and a function the same in snake case; everything else bears both.
    """
    import re

    entry = re.compile(r"^@entry\((.*?)\)\nclass (\w+)", re.MULTILINE | re.DOTALL)
    string = re.compile(r'"([^"]*)"')
    index: Index = {}
    for file in _files(families):
        with open(os.path.join(families, file), encoding="utf-8") as stream:
            text = stream.read()
        module = file.removesuffix(".py")
        for head, name in entry.findall(text):
            today, _, formerly = head.partition("formerly=")
            category, *aliases = string.findall(today)
            names = index.setdefault(category, {})
            own = {"layer": (name,), "function": (snake_case(name),)}.get(category, (name, snake_case(name)))
            for alias in (*own, *aliases):
                names[alias] = (module, name, False)
            for old in string.findall(formerly):
                names.setdefault(old, (module, name, True))
    return index


def _files(families: str) -> list[str]:
    return sorted(name for name in os.listdir(families) if name.endswith(".py"))


def as_module() -> str:
    """The text of `index.py`."""
    files = "".join(f"    {file!r},\n" for file in _files(_FAMILIES))
    parts = []
    for category, names in read_index(_FAMILIES).items():
        lines = "".join(f"        {name!r}: {place!r},\n" for name, place in names.items())
        parts.append(f"    {category!r}: {{\n{lines}    }},\n")
    return f'''"""The catalogue's index, which `python -m nndsl.prepare` has made of families/*.py: do not edit it."""

FILES = [
{files}]
INDEX: dict[str, dict[str, tuple[str, str, bool]]] = {{
{"".join(parts)}}}
'''


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
