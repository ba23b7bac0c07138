"""Going through a syntax tree, whatever its nodes are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nndsl.syntax import ast

_NODES = (ast.Stmt, ast.Expr, ast.Ident, ast.Arg, ast.Parameter, ast.DimExpr, ast.SliceItem)


def children(node: object) -> Iterator[Any]:
    """The nodes directly inside a node, in the order of its fields."""
    for name in type(node).__match_args__:  # type: ignore[attr-defined]
        value = getattr(node, name)
        if isinstance(value, _NODES):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, _NODES))


def walk(node: object) -> Iterator[Any]:
    """A node and all nodes inside of it, each before those in it."""
    stack = [node]
    while stack:
        item = stack.pop()
        stack.extend(children(item))
        yield item
