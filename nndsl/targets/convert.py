"""Python expressions that the compiler itself wrote (dimension formulas, facts), turned into code as data."""

from __future__ import annotations

import ast

from nndsl import code

_BINARY: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
}  # fmt: skip


def expression(text: str) -> code.Expr:
    """Arithmetic, comparisons, attributes and subscripts; raises ValueError for anything else."""
    return _convert(ast.parse(text, mode="eval").body)


def _convert(node: ast.AST) -> code.Expr:
    match node:
        case ast.Constant(value=value) if isinstance(value, int):
            return code.Literal(value)
        case ast.Name(id=name):
            return code.Name(name)
        case ast.Attribute(value=value, attr=name):
            return code.Attr(_convert(value), name)
        case ast.Subscript(value=value, slice=item):
            return code.index(_convert(value), _convert(item))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return code.Binary(_BINARY[type(op)], _convert(left), _convert(right))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return code.Unary("-", _convert(operand))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _BINARY:
            return code.Binary(_BINARY[type(op)], _convert(left), _convert(right))
        case ast.Tuple(elts=items):
            return code.Tuple(tuple(_convert(item) for item in items))
    raise ValueError(f"cannot convert {ast.dump(node)}")
