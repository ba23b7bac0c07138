"""The values that the arguments of a call have before their kind has checked them."""

from __future__ import annotations

from typing import Any

from nndsl.records import record
from nndsl.source import Span
from nndsl.syntax import ast


@record
class Option:
    """A bare name that is no parameter: `relu`, `same`."""

    name: str
    span: Span


@record
class Unbound:
    """A call that waits for the argument's kind to say what it is: `Dense(1)`, `RandomUniform(-1, 1)`. `env` is what
    names mean where it is written."""

    call: ast.CallExpr
    env: Any = None


@record
class Ref:
    """The name of a value of the model where a compile-time value is meant."""

    name: str
    span: Span


def show(value: object) -> str:
    """A value as the file would spell it, in backquotes and shortened, for messages."""
    text = spell(value)
    return f"`{text if len(text) <= 60 else text[:57] + '…'}`"


def spell(value: object) -> str:
    """A value as the file would spell it."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case Option(name) | Ref(name):
            return name
        case Unbound(call):
            return call.span.text
        case str():
            return '"' + value[:80].replace("\\", "\\\\").replace('"', '\\"') + '"'
        case tuple():
            return f"({', '.join(map(spell, value[:20]))}{',' if len(value) == 1 else ''})"
        case list():
            return f"[{', '.join(map(spell, value[:20]))}]"
        case range():
            return f"{value.start}..{value.stop}"
        case int() if abs(value) > 10**60:
            return "a very large integer"
    return str(value)
