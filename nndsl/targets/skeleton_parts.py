"""What templates that were made Python functions (`skeletons.py`) call: the little of jinja2 that they use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Context = Mapping[str, Any]


def get(value: Any, name: str) -> Any:
    """`value.name` as jinja2 means it: an attribute, else what a mapping holds under the name. Raises KeyError or
    TypeError where there is neither."""
    try:
        return getattr(value, name)
    except AttributeError:
        return value[name]


def indent(text: str, width: int, first: bool = False) -> str:
    """jinja2's filter: every line but empty ones is moved by `width`, the first one only with `first`."""
    space = " " * width
    head, *rest = f"{text}\n".splitlines()
    lines = [space + head if first else head, *(space + line if line else line for line in rest)]
    return "\n".join(lines)
