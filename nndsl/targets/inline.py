"""Which results of functions stand where they are used, in place of a variable of their own: `y = x - x.mean()`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nndsl import code
from nndsl.ir.graph import Node, Value
from nndsl.targets.names import python_name
from nndsl.targets.printing import flat
from nndsl.targets.rewrite import parts_of
from nndsl.targets.structure import Step

LONGEST = 60  # characters of a result without a variable
WIDTH = 88


def inlined(nodes: Sequence[Step], results: Iterable[Value]) -> set[Value]:
    """The unnamed results of functions that one other node uses, once. A random draw keeps its place."""
    kept = set(results)
    here = set(nodes)
    return {
        value
        for node in nodes
        if isinstance(node, Node) and node.config.is_function and not node.config.draws
        for value in node.results
        if not value.name and value not in kept and len(value.uses) == 1 and value.uses[0] in here
        and value in value.uses[0].inputs
    }  # fmt: skip


def room(name: str | None, indent: int) -> int:
    """How long an expression may be: one that is bound to `name` on one line, or one that gets no variable."""
    return LONGEST if name is None else WIDTH - 4 * indent - len(f"{name} = ")


def to_bind(free: Sequence[int], given: Sequence[code.Expr], made: object, space: int) -> list[int]:
    """Which operands get a variable after all, of those at the places `free`, that have none: where they stand more
    than once in what was `made` of the `given` code, or make it too long."""
    chosen = [position for position in free if count(made, given[position]) > 1]
    result = made[0] if isinstance(made, tuple) else made
    if not isinstance(result, code.Expr):
        return chosen
    length = len(flat(result))
    for position in sorted(free, key=lambda p: -len(flat(given[p]))):
        if length <= space:
            break
        if position not in chosen:
            chosen.append(position)
            length -= len(flat(given[position])) - 8
    return chosen


def hint(value: Value) -> str:
    """What a variable for the result of a function is called."""
    assert value.producer is not None
    config = value.producer.layer.config
    return python_name(config.title()) if config.category == "function" else "value"


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
