"""Which results of functions stand where they are used, in place of a variable of their own: `y = x - x.mean()`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nndsl import code
from nndsl.ir.graph import Node, Value
from nndsl.targets.rewrite import parts_of
from nndsl.targets.structure import Step

DEEPEST = 8  # operations in one expression, one inside the other


def inlined(nodes: Sequence[Step], results: Iterable[Value]) -> set[Value]:
    """The unnamed results of functions that one other node uses, once. A random draw keeps its place."""
    kept = set(results)
    here = set(nodes)
    found: set[Value] = set()
    depth: dict[Value, int] = {}
    for node in nodes:
        if not isinstance(node, Node) or not node.config.is_function:
            continue
        value = node.results[0]
        deep = 1 + max((depth.get(operand, 0) for operand in node.inputs), default=0)
        once = len(value.uses) == 1 and value.uses[0] in here and value in value.uses[0].inputs
        if once and not value.name and value not in kept and not node.layer.config.draws and deep < DEEPEST:
            found.add(value)
            depth[value] = deep
    return found


def count(node: object, wanted: code.Expr) -> int:
    """How often `wanted`, this very object, stands in code."""
    if node is wanted:
        return 1
    if isinstance(node, tuple):
        return sum(count(item, wanted) for item in node)
    return sum(count(getattr(node, name), wanted) for name in (parts_of(type(node)) or ()))


def put(node: Any, old: code.Expr, new: code.Expr) -> Any:
    """Code with `new` in the places of `old`, this very object."""
    if node is old:
        return new
    if isinstance(node, tuple):
        return tuple(put(item, old, new) for item in node)
    names = parts_of(type(node)) or ()
    if not names or not count(node, old):
        return node
    return type(node)(**{name: put(getattr(node, name), old, new) for name in names})
