"""The small functions and classes that emitted files carry: real Python files in templates/<target>/helpers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from nndsl.resources import read_template

_IMPORT = re.compile(r"^(?:import|from) .*$", re.MULTILINE)
_HELPER = re.compile(r"from templates\.\w+\.helpers\.(\w+) import")


@cache
def _read(target: str, name: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """(body, import lines, helpers that it calls: those that it imports)."""
    text = read_template(f"{target}/helpers/{name}.py")
    imports = tuple(_IMPORT.findall(text.split("\ndef ")[0].split("\nclass ")[0]))
    start = min(at for at in (_find(text, "def "), _find(text, "class "), _find(text, "@")) if at >= 0)
    body = text[start:].strip()
    return body, imports, tuple(found[1] for line in imports if (found := _HELPER.match(line)))


def _find(text: str, start: str) -> int:
    if text.startswith(start):
        return 0
    at = text.find("\n" + start)
    return at + 1 if at >= 0 else -1


def collect(target: str, names: Iterable[str]) -> tuple[list[str], set[str]]:
    """The texts of the helpers and of those they call, each before its callers; and the imports that they need."""
    texts: dict[str, str] = {}
    imports: set[str] = set()

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in texts or name in path:
            return
        body, lines, calls = _read(target, name)
        for other in calls:
            add(other, (*path, name))
        texts[name] = body
        imports.update(line for line in lines if "__future__" not in line and not line.startswith("from templates"))

    for name in names:
        add(name, ())
    return list(texts.values()), imports
