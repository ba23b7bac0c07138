"""Places in a syntax tree: what encloses a position, from the file down to the innermost node."""

from __future__ import annotations

from typing import Any

from nndsl.source import Span
from nndsl.syntax import ast
from nndsl.syntax.walk import children


def path_at(tree: ast.File, offset: int) -> list[Any]:
    """The nodes around a position, the file first. A position at the end of a node touches it, where nothing that
    begins there does."""
    path: list[Any] = [tree]
    while True:
        inside = [child for child in children(path[-1]) if child.span.start <= offset <= child.span.end]
        if not inside:
            return path
        path.append(max(inside, key=lambda child: (child.span.start, -child.span.end)))


def spans_at(tree: ast.File, offset: int) -> list[Span]:
    """The places around a position, the innermost first, each larger than the one before."""
    found: list[Span] = []
    for node in reversed(path_at(tree, offset)):
        span = node.span
        if not found or (span.start, span.end) != (found[-1].start, found[-1].end):
            found.append(span)
    return found


def container_at(tree: ast.File, offset: int) -> ast.ModelDef | ast.BlockDef | None:
    """The model or block around a position."""
    for node in path_at(tree, offset):
        if isinstance(node, ast.ModelDef | ast.BlockDef):
            return node
    return None
