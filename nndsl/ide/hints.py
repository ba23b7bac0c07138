"""Shapes beside the stages of a flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nndsl.ide.analysis import Analysis
from nndsl.ir.graph import Value
from nndsl.ir.types import TensorType, show_shape
from nndsl.syntax import ast
from nndsl.syntax.walk import children


@dataclass(frozen=True)
class Hint:
    """What is shown behind the character at `offset`; `more` is what else there is to say, one line each."""

    offset: int
    text: str
    more: tuple[str, ...] = ()


def hints(analysis: Analysis, start: int = 0, end: int | None = None) -> list[Hint]:
    """The hints between two offsets, in the order of the text. A stage of a block that is called with several shapes
    shows the first and the last."""
    end = len(analysis.source.text) if end is None else end
    found: list[Hint] = []
    for statement in analysis.tree.body:
        if isinstance(statement, ast.ModelDef | ast.BlockDef) and _meets(statement, start, end):
            for inner in statement.body:
                if _meets(inner, start, end):
                    for expr in _shown(inner):
                        hint = _hint(analysis, expr)
                        if hint is not None and start <= hint.offset <= end:
                            found.append(hint)
    return sorted(found, key=lambda hint: hint.offset)


def _meets(statement: ast.Stmt, start: int, end: int) -> bool:
    return statement.span.start <= end and start <= statement.span.end


def _shown(statement: ast.Stmt) -> Iterator[ast.Expr]:
    """The expressions of a statement that bear a hint."""
    if not isinstance(statement, ast.AssignStmt | ast.OutputStmt | ast.PenaltyStmt | ast.UpdateStmt):
        return
    value = statement.value
    while isinstance(value, ast.Paren):
        value = value.inner
    if value is None or isinstance(value, ast.NameRef):
        return
    if not isinstance(value, ast.Flow):
        yield value
    stack: list[ast.Expr | ast.Arg] = [value]
    while stack:
        expr = stack.pop()
        match expr:
            case ast.Flow(items=items):
                stack.extend(items)
                yield from (item for item in items[1:] if _bears(item))
            case ast.Branch(arms=arms):
                stack.extend(arms)
                yield from (arm for arm in arms if _bears(arm))
            case ast.Repeat(body=body):
                stack.append(body)
                if _bears(body):
                    yield body
            case _:
                stack.extend(child for child in children(expr) if isinstance(child, ast.Expr | ast.Arg))


def _bears(stage: ast.Expr) -> bool:
    """Whether a stage shows what it gives, and not the stages inside of it."""
    return isinstance(stage, ast.CallExpr | ast.NameRef | ast.Repeat)


def _hint(analysis: Analysis, expr: ast.Expr) -> Hint | None:
    seen: dict[tuple[TensorType, ...], None] = {}
    for values in analysis.checked.trace.at(expr):
        types = _types(values)
        if types:
            seen[types] = None
    if not seen:
        return None
    shown = list(seen)
    text = _text(shown[0])
    if len(shown) > 1:
        text = f"{text} … {_text(shown[-1])}"
    more = tuple(", ".join(map(str, types)) for types in shown[:12])
    if len(shown) > 12:
        more = (*more, f"and {len(shown) - 12} more")
    return Hint(expr.span.end, text, more)


def _types(values: tuple[Value, ...]) -> tuple[TensorType, ...]:
    """The types of values, () where one of them is not known."""
    if any(not value.type.known or value.number is not None for value in values):
        return ()
    return tuple(value.type for value in values)


def _text(types: tuple[TensorType, ...]) -> str:
    return ", ".join(short(type) for type in types)


def short(type: TensorType) -> str:
    """`[T, 64]`; with its dtype where that is no float."""
    return show_shape(type.features) if type.is_float else str(type)
