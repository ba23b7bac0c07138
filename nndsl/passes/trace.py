"""What flowed where: for editors, which show a shape beside every stage. The compiler itself never looks at it."""

from __future__ import annotations

from nndsl.ir.graph import Value
from nndsl.source import SourceFile
from nndsl.syntax import ast

MOST_CALLS = 50


class Trace:
    """The values that each expression of a flow gave, by its place: one tuple for each time it was elaborated (a stage
    in a block is, at every call of the block), up to MOST_CALLS of them."""

    def __init__(self) -> None:
        self.values: dict[tuple[SourceFile, int, int], list[tuple[Value, ...]]] = {}
        self.constants: dict[tuple[SourceFile, int], list[object]] = {}  # by the place of the name

    def add(self, expr: ast.Expr, values: tuple[Value, ...]) -> None:
        span = expr.span
        known = self.values.setdefault((span.file, span.start, span.end), [])
        if len(known) < MOST_CALLS:
            known.append(values)

    def add_constant(self, name: ast.Ident, value: object) -> None:
        """`width = 4 * filters`, with what it comes to in this call of the block."""
        known = self.constants.setdefault((name.span.file, name.span.start), [])
        if len(known) < MOST_CALLS:
            known.append(value)

    def at(self, expr: ast.Expr) -> list[tuple[Value, ...]]:
        span = expr.span
        return self.values.get((span.file, span.start, span.end), [])
