"""How large a program grows at least, told from its text: an expansion past the limit ends before it begins.

Blocks that call each other twice double at each level: a short text asks for more calls than could ever be written
out. What is not plain in the text (a count that is computed, a block that calls itself) counts as nothing here; the
limit itself stops that later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nndsl.layers import catalogue
from nndsl.syntax import ast

if TYPE_CHECKING:
    from nndsl.passes.definitions import Block, Home

MOST_NODES = 120_000  # calls of layers, and values that enter or leave calls of blocks


def least(expr: ast.Expr | None, home: Home) -> int:
    """At least how many nodes an expression of that file comes to."""
    match expr:
        case ast.CallExpr():
            if catalogue.find("layer", expr.func.text) is not None:
                return 1
            block = home.blocks.get(expr.func.text)
            return 0 if block is None else least_of(block)
        case ast.Flow(items=items) | ast.Branch(arms=items) | ast.TupleExpr(items=items):
            return sum(least(item, home) for item in items)
        case ast.Paren(inner=inner):
            return least(inner, home)
        case ast.IfElse(then=then, otherwise=otherwise):
            return min(least(then, home), least(otherwise, home))
        case ast.Repeat(body=body):
            return _rounds(expr) * least(body, home)
    return 0


def least_of(block: Block) -> int:
    """At least how many nodes a call of the block comes to."""
    if block.least is None:
        block.least = 0  # while it is counted: a block that calls itself adds nothing
        ends = sum(isinstance(s, ast.InputStmt | ast.OutputStmt) for s in block.definition.body)
        block.least = ends + body_least(block.definition, block.home)
    return block.least


def body_least(definition: ast.BlockDef | ast.ModelDef, home: Home) -> int:
    """The same for all statements of a model or block."""
    total = 0
    for statement in definition.body:
        if isinstance(statement, ast.AssignStmt | ast.OutputStmt | ast.PenaltyStmt):
            total += least(statement.value, home)
    return total


def _rounds(repeat: ast.Repeat) -> int:
    count = repeat.count
    while isinstance(count, ast.Paren):
        count = count.inner
    match count:
        case ast.Literal(value=bool()):
            return 0
        case ast.Literal(value=int() as number):
            return 0 if repeat.names else max(number, 0)
        case ast.RangeExpr(start=ast.Literal(value=int() as start), stop=ast.Literal(value=int() as stop)):
            return max(stop - start, 0) if repeat.names else 0
        case ast.ListExpr(items=items) | ast.TupleExpr(items=items):
            return len(items) if repeat.names else 0
    return 0
