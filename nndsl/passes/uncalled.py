"""Blocks that no model calls: their shapes are not known, their names are checked all the same."""

from __future__ import annotations

from nndsl.diagnostics.model import Problems
from nndsl.layers import catalogue
from nndsl.passes.definitions import Block
from nndsl.passes.resolve import Scope, flow_references
from nndsl.passes.sources import no_value
from nndsl.passes.unknown import unknown_layer
from nndsl.syntax import ast


def check_uncalled(block: Block, problems: Problems, *, is_main: bool) -> None:
    """Reports unknown layers and values in a block that was not expanded; `is_main` asks for a warning that it is not
    used."""
    if block.calls:
        return
    definition = block.definition
    scope = block.scope(problems)
    own = {p.name.text for p in definition.parameters} | set(block.home.params.places)
    for found in scope.order:
        statement = found.statement
        if isinstance(statement, ast.InputStmt | ast.WeightStmt):
            continue
        called = _calls(statement.value)
        for call in called:
            _check_call(call, block, scope, problems)
        heads = {call.func.span for call in called}
        for name, span in flow_references(statement.value):
            known = name in scope.definitions or name in scope.broken or name in own or name in block.home.absent
            if not known and span not in heads:
                no_value(ast.NameRef(span, name), scope, statement, problems)
    for output in definition.body:
        if isinstance(output, ast.OutputStmt) and output.value is None:
            ident = output.name
            if ident.text not in scope.definitions and ident.text not in scope.broken:
                no_value(ast.NameRef(ident.span, ident.text), scope, output, problems)
    if is_main and not problems.has_errors:  # else its calls may be among what is wrong
        kind = "layer" if definition.is_layer else "block"
        problems.warning(
            "NN0407", f"{kind} `{block.name}` is never used", definition.name.span, "not used",
            help=f"let something flow into it (`x -> {block.name}(…)`), or leave it out",
        )  # fmt: skip


def _check_call(call: ast.CallExpr, block: Block, scope: Scope, problems: Problems) -> None:
    name = call.func.text
    known = (
        catalogue.find("layer", name) or catalogue.find("function", name) or block.home.blocks.get(name)
        or name in scope.definitions or name in scope.broken or name in block.home.absent
    )  # fmt: skip
    if not known:
        unknown_layer(call, [*scope.shared(), *block.home.blocks], problems)


def _calls(expr: ast.Expr | None) -> list[ast.CallExpr]:
    """The calls that stand in a flow, not those in arguments."""
    found: list[ast.CallExpr] = []
    stack: list[ast.Expr | None] = [expr]
    while stack:
        item = stack.pop()
        match item:
            case ast.CallExpr():
                found.append(item)
            case ast.Flow(items=items) | ast.TupleExpr(items=items) | ast.Branch(arms=items):
                stack.extend(reversed(items))
            case ast.Paren(inner=inner) | ast.Repeat(body=inner) | ast.Subscript(value=inner):
                stack.append(inner)
            case ast.Unary(operand=inner):
                stack.append(inner)
            case ast.Binary(left=left, right=right):
                stack += [right, left]
            case ast.IfElse():
                stack += [item.otherwise, item.then]
    return found
