"""The import lines at the head of an emitted file."""

from __future__ import annotations

from collections.abc import Iterable

_OTHERS = ("numpy", "tensorflow", "torch")


def import_lines(wanted: Iterable[str]) -> str:
    """The lines as ruff's isort rule sorts them: standard library, then the others, one line a module."""
    lines = set(wanted)
    plain = {line for line in lines if line.startswith("import ")}
    names: dict[str, set[str]] = {}
    for line in lines - plain:
        _, module, _, imported = line.split(" ", 3)
        names.setdefault(module, set()).update(name.strip() for name in imported.split(","))
    merged = {f"from {module} import {', '.join(sorted(found, key=_by_kind))}" for module, found in names.items()}
    groups: list[list[str]] = [[], [], []]
    for line in plain | merged:
        module = line.split()[1].split(".")[0]
        groups[0 if module == "__future__" else 2 if module in _OTHERS else 1].append(line)
    ordered = [sorted(group, key=lambda line: (line.startswith("from "), line.split()[1].lower())) for group in groups]
    return "\n\n".join("\n".join(group) for group in ordered if group)


def _by_kind(name: str) -> tuple[bool, str]:
    """Classes before functions, as isort has them."""
    return name[0].islower(), name
