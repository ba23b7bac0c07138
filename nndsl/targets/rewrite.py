"""Walking code: the literals in it, and copies with something else in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nndsl import code
from nndsl.records import record


@record
class Leaf:
    """A literal (or a tuple of numbers), `parent` the call around it if any, and where it stands there: a position or
    a keyword."""

    node: Any
    parent: code.Call | None
    place: int | str


def parts_of(kind: type) -> tuple[str, ...] | None:
    """The fields of a class of code, None for anything else."""
    return getattr(kind, "__match_args__", None) if kind.__module__ == code.__name__ else None


def is_leaf(node: object) -> bool:
    if isinstance(node, code.Tuple):
        return bool(node.items) and all(
            isinstance(item, code.Literal) and isinstance(item.value, int | float) and not isinstance(item.value, bool)
            for item in node.items
        )
    return isinstance(node, code.Literal) and node.value is not None


def leaves_of(node: Any) -> tuple[Any, list[Leaf]]:
    """(what is left of the code without its literals, hashable; the literals in order)."""
    found: list[Leaf] = []
    return _key(node, found, None, 0), found


def same_code(one: Any, other: Any) -> bool:
    """Whether two pieces of code differ in comments at most."""
    (key, leaves), (other_key, others) = leaves_of(one), leaves_of(other)
    return bool(key == other_key) and [leaf.node for leaf in leaves] == [leaf.node for leaf in others]


def _key(node: Any, found: list[Leaf], parent: code.Call | None, place: int | str) -> Any:
    kind = type(node)
    if is_leaf(node):
        found.append(Leaf(node, parent, place))
        if kind is code.Tuple:
            return ("tuple", len(node.items))
        value = node.value
        return "bool" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "text"
    if kind is tuple:
        return tuple([_key(item, found, None, 0) for item in node])
    if kind is code.Call:
        func = _key(node.func, found, None, 0)
        args = tuple([_key(item, found, node, position) for position, item in enumerate(node.args)])
        kwargs = tuple([(name, _key(item, found, node, name)) for name, item in node.kwargs])
        return ("Call", func, args, kwargs)
    names = parts_of(kind)
    if names is None:
        return node
    skipped = ("comment",) if kind in (code.Assign, code.Do) else ()
    return (kind.__name__, *[_key(getattr(node, name), found, None, 0) for name in names if name not in skipped])


def replaced(node: Any, changes: Mapping[int, code.Expr]) -> Any:
    """The code with other expressions in place of some of its literals, by their number."""
    return _Replacer(changes).copy(node) if changes else node


class _Replacer:
    def __init__(self, changes: Mapping[int, code.Expr]) -> None:
        self.changes, self.count = changes, 0

    def copy(self, node: Any) -> Any:
        if is_leaf(node):
            number, self.count = self.count, self.count + 1
            return self.changes.get(number, node)
        return mapped(node, self.copy)


def mapped(node: Any, change: Callable[[Any], Any]) -> Any:
    """The node with `change` of each of its parts, in the order in which `leaves_of` counts; itself where none of them
    changed."""
    kind = type(node)
    if kind is tuple:
        items = tuple([change(item) for item in node])
        return node if _same(items, node) else items
    if kind is code.Call:
        func = change(node.func)
        args = tuple([change(item) for item in node.args])
        kwargs = tuple([(name, change(item)) for name, item in node.kwargs])
        if (
            func is node.func
            and _same(args, node.args)
            and all(a[1] is b[1] for a, b in zip(kwargs, node.kwargs, strict=True))
        ):
            return node
        return code.Call(func, args, kwargs)
    names = parts_of(kind)
    if names is None:
        return node
    skipped = ("comment",) if kind in (code.Assign, code.Do) else ()
    parts = [getattr(node, name) for name in names]
    values = [part if name in skipped else change(part) for name, part in zip(names, parts, strict=True)]
    return node if _same(values, parts) else kind(*values)


def _same(values: Sequence[Any], others: Sequence[Any]) -> bool:
    return all(value is other for value, other in zip(values, others, strict=True))


def transformed(node: Any, rule: Callable[[Any], Any]) -> Any:
    """The code with `rule(part)` in place of each part for which it gives something else than None; parts of what was
    put in are not looked at again."""
    found = rule(node)
    return found if found is not None else mapped(node, lambda part: transformed(part, rule))
