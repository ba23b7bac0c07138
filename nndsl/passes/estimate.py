"""How large a program grows, told from its text: an expansion past the limit ends before it begins.

Blocks that call each other twice double at each level: a short text asks for more calls than could ever be written
out. What is not plain in the text (a count that a call decides, a block that calls itself) may come to nothing or to
anything: such a program has room for LEAST_ROOM calls, so that it too ends soon when it is too large.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from nndsl.diagnostics.model import Problems
from nndsl.layers import catalogue
from nndsl.passes.evaluate import Env, Evaluator, Failed, bare_names
from nndsl.syntax import ast

if TYPE_CHECKING:
    from nndsl.passes.definitions import Block, Home

MOST_NODES = 120_000  # calls of layers, and values that enter or leave calls of blocks
LEAST_ROOM = 20_000  # the same in a program whose text does not say how many they are


class Size(NamedTuple):
    """How many nodes something comes to: at least, and at most (infinity where the text does not say)."""

    least: int
    most: float


_DEEPEST = 50  # calls within each other: more than an expansion may have
_NOTHING: Final = Size(0, 0)
_UNKNOWN: Final = Size(0, math.inf)


class Body(NamedTuple):
    """Whose text is measured: its file, the names that mean something else in each call, the shared layers; `numbers`
    are those of the names that a repeat over numbers gives."""

    home: Home
    bound: frozenset[str]
    shared: dict[str, ast.Expr]
    depth: int = 0
    numbers: frozenset[str] = frozenset()


def room_of(definition: ast.ModelDef, home: Home) -> tuple[int, int]:
    """(how many nodes may be made, how many nodes a program may have): the first is smaller where it is plain that the
    second does not suffice."""
    size = _size_of_body(definition, home)
    if size.most <= MOST_NODES:
        return MOST_NODES, MOST_NODES
    return LEAST_ROOM, MOST_NODES if size.least > MOST_NODES else LEAST_ROOM


def least(expr: ast.Expr | None, home: Home) -> int:
    """At least how many nodes an expression of that file comes to; what a name means there is not asked."""
    names = frozenset(home.params.values)
    return 0 if expr is None else _size(expr, Body(home, names, {})).least


def least_of(block: Block) -> int:
    """At least how many nodes a call of the block comes to."""
    return _size_of_block(block, 0).least


def _size_of_block(block: Block, depth: int) -> Size:
    if depth > _DEEPEST:
        return _UNKNOWN
    if block.size is None:
        block.size = _UNKNOWN  # while it is counted: a block that calls itself
        ends = sum(isinstance(s, ast.InputStmt | ast.OutputStmt) for s in block.definition.body)
        found = _size_of_body(block.definition, block.home, depth + 1)
        block.size = Size(ends + found.least, ends + found.most)
    return block.size


def _size_of_body(definition: ast.BlockDef | ast.ModelDef, home: Home, depth: int = 0) -> Size:
    parameters = definition.parameters if isinstance(definition, ast.BlockDef) else ()
    shared = {s.name.text: s.value for s in definition.body if isinstance(s, ast.SharedStmt)}
    body = Body(home, frozenset(parameter.name.text for parameter in parameters), shared, depth)
    values = (
        statement.value
        for statement in definition.body
        if isinstance(statement, ast.AssignStmt | ast.OutputStmt | ast.PenaltyStmt | ast.UpdateStmt)
    )
    return _sum([_size(value, body) for value in values if value is not None])


def _sum(sizes: list[Size]) -> Size:
    return Size(sum(size.least for size in sizes), sum(size.most for size in sizes))


def _size(expr: ast.Expr, body: Body) -> Size:
    if _is_number(expr, body):
        return _NOTHING
    match expr:
        case ast.CallExpr():
            return _size_of_call(expr, body)
        case ast.NameRef(name=name):
            if name in body.shared:
                return Size(0, _size(body.shared[name], body._replace(shared={})).most)
            return _UNKNOWN if name in body.bound else _NOTHING
        case ast.Flow(items=items) | ast.Branch(arms=items) | ast.TupleExpr(items=items):
            return _sum([_size(item, body) for item in items])
        case ast.Paren(inner=inner):
            return _size(inner, body)
        case ast.IfElse(then=then, otherwise=otherwise):
            one, other = _size(then, body), _size(otherwise, body)
            return Size(min(one.least, other.least), max(one.most, other.most))
        case ast.Repeat(body=inner, names=names):
            rounds, of_numbers = _rounds(expr, body)
            bound = frozenset(name.text for name in names)
            numbers = body.numbers | bound if of_numbers else body.numbers - bound
            size = _size(inner, body._replace(bound=body.bound | bound, numbers=numbers))
            return Size(rounds.least * size.least, rounds.most * size.most if rounds.most and size.most else 0)
        case ast.Binary(left=left, right=right):
            return Size(0, 1 + _size(left, body).most + _size(right, body).most)
        case ast.Unary(operand=value) | ast.Subscript(value=value):
            return Size(0, 1 + _size(value, body).most)
    return _NOTHING


def _size_of_call(call: ast.CallExpr, body: Body) -> Size:
    given = sum(
        _size(argument.value, body).most for argument in call.args if not isinstance(argument.value, ast.NameRef)
    )
    name = call.func.text
    if catalogue.find("layer", name) is not None:
        return Size(1, 1 + given)
    block = body.home.blocks.get(name)
    if block is not None:
        size = _size_of_block(block, body.depth)
        return Size(size.least, size.most + given)
    if name in body.shared:
        return Size(0, _size(body.shared[name], body._replace(shared={})).most + given)
    return Size(0, 1 + given)


def _is_number(expr: ast.Expr, body: Body) -> bool:
    """Whether it is arithmetic with numbers alone, such as `32 + 4 * i`, which makes no node."""
    match expr:
        case ast.Literal():
            return True
        case ast.NameRef(name=name):
            return name in body.numbers
        case ast.Binary(left=left, right=right):
            return _is_number(left, body) and _is_number(right, body)
        case ast.Unary(operand=inner) | ast.Paren(inner=inner):
            return _is_number(inner, body)
    return False


def _rounds(repeat: ast.Repeat, body: Body) -> tuple[Size, bool]:
    """How often a `repeat` goes round, where that is the same in every call, and whether over numbers."""
    values = body.home.params.values
    if any(name in body.bound or name not in values for name, _ in bare_names(repeat.count)):
        return _UNKNOWN, False
    try:
        value = Evaluator(Problems(), Env(values))(repeat.count)
    except Failed:
        return _UNKNOWN, False
    if isinstance(value, range | list | tuple) and repeat.names:
        of_numbers = isinstance(value, range) or all(isinstance(item, int | float) for item in value)
        return Size(len(value), len(value)), of_numbers
    if isinstance(value, int) and not isinstance(value, bool) and not repeat.names:
        return Size(max(value, 0), max(value, 0)), False
    return _UNKNOWN, False
