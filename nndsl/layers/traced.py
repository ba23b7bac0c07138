"""Numbers and strings that remember how the file wrote them: `4 * filters` in a block is 256, and still `4 * filters`.

They behave as plain values everywhere. Targets use the `trace` for the constructor arguments of the classes that
they write for blocks and layers of one's own; `scope` is the call in which its names have their meaning.
"""

from __future__ import annotations

from nndsl import code


class TracedInt(int):
    trace: code.Expr
    scope: object
    is_default: bool = False  # written although it is what the argument has by default


class TracedFloat(float):
    trace: code.Expr
    scope: object
    is_default: bool = False


class TracedStr(str):
    trace: code.Expr
    scope: object
    is_default: bool = False


Traced = TracedInt | TracedFloat | TracedStr
_CLASSES: dict[type, type] = {int: TracedInt, float: TracedFloat, str: TracedStr}


def traced(value: object, trace: code.Expr, scope: object) -> object:
    """`value` with its trace; values of other types than int, float and str are given back as they are."""
    base = next((kind for kind in _CLASSES if isinstance(value, kind) and not isinstance(value, bool)), None)
    if base is None:
        return value
    made = _CLASSES[base](value)
    made.trace, made.scope = trace, scope
    return made


def plain(value: object) -> object:
    """The value without its trace."""
    match value:
        case TracedInt():
            return int(value)
        case TracedFloat():
            return float(value)
        case TracedStr():
            return str.__str__(value)
    return value


def as_default(value: object) -> object:
    """A traced value, marked as one that could be left out."""
    if not isinstance(value, Traced):
        return value
    made = traced(value, value.trace, value.scope)
    assert isinstance(made, Traced)
    made.is_default = True
    return made


def combined(op: str, left: object, right: object, result: object) -> object:
    """`result` of an operator with the trace of its operands, where one of them has one."""
    scopes = {id(side.scope): side.scope for side in (left, right) if isinstance(side, Traced)}
    if len(scopes) != 1 or isinstance(result, bool):
        return result
    parts = [side.trace if isinstance(side, Traced) else _literal(side) for side in (left, right)]
    if None in parts:
        return result
    return traced(result, code.binary(op, *parts), next(iter(scopes.values())))


def negated(value: int | float) -> object:
    """`-value`, with the trace of it where `value` has one."""
    if isinstance(value, TracedInt | TracedFloat):
        return traced(-value, code.Unary("-", value.trace), value.scope)
    return -value


def _literal(value: object) -> code.Expr | None:
    return code.Literal(value) if isinstance(value, int | float | str) else None
