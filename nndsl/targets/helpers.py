"""The small functions and classes that emitted files carry: real Python files in templates/<target>/helpers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from nndsl.resources import templates_path

_IMPORT = re.compile(r"^(?:import|from) .*$", re.MULTILINE)
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*\b")  # bare names: `torch.maximum` is not the helper `maximum`


@cache
def _known(target: str) -> frozenset[str]:
    return frozenset(path.stem for path in (templates_path() / target / "helpers").glob("*.py"))


@cache
def _read(target: str, name: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """(body, import lines, helpers that it calls)."""
    text = (templates_path() / target / "helpers" / f"{name}.py").read_text(encoding="utf-8")
    imports = tuple(_IMPORT.findall(text.split("\ndef ")[0].split("\nclass ")[0]))
    start = min(at for at in (_find(text, "def "), _find(text, "class "), _find(text, "@")) if at >= 0)
    body = text[start:].strip()
    code = re.sub(r'""".*?"""', "", body, flags=re.DOTALL)
    calls = tuple(word for word in dict.fromkeys(_WORD.findall(code)) if word in _known(target) and word != name)
    return body, imports, calls


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
