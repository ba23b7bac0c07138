"""What both targets ask of a layer of one's own: its parameters, and its code with them in place of their values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from nndsl import code
from nndsl.ir.graph import BlockCall, Node, Value
from nndsl.layers.traced import Traced, plain
from nndsl.layers.values import Option
from nndsl.passes.custom import CustomLayer, Inside, Update
from nndsl.targets.rewrite import transformed

Shape = Callable[[str, int], code.Expr]


def parameters(layer: CustomLayer) -> tuple[tuple[str, Any], ...]:
    """The parameters whose values can stand in code, with their values."""
    found = []
    for name, value in layer.call.arguments.items():
        if isinstance(value, Option):
            value = value.name
        if isinstance(value, list):
            value = tuple(value)
        items = value if isinstance(value, tuple) else (value,)
        if all(isinstance(item, bool | int | float | str) for item in items) and items:
            found.append((name, value))
    return tuple(found)


def parametrized(
    node: Any,
    call: BlockCall,
    inputs: Collection[str],
    names: Sequence[str],
    name: Callable[[str], code.Expr],
    shape: Shape,
) -> Any:
    """The code with what the file wrote in the place of numbers: a parameter, an axis of an input, and what is computed
    from them."""

    def size(of: str, axis: int) -> code.Expr | None:
        return shape(of, axis) if of in inputs else None  # a weight or a value has no name of its own everywhere

    def rule(part: Any) -> Any:
        if not isinstance(part, code.Literal) or not isinstance(part.value, Traced) or part.value.scope is not call:
            return None
        found = _converted(part.value.trace, names, name, size)
        return code.Literal(plain(part.value)) if found is None else found  # type: ignore[arg-type]

    return transformed(node, rule)


def _converted(
    trace: code.Expr,
    names: Sequence[str],
    name: Callable[[str], code.Expr],
    shape: Callable[[str, int], code.Expr | None],
) -> code.Expr | None:
    match trace:
        case code.Name(id):
            return name(id) if id in names else None
        case code.Literal(value):
            return code.Literal(plain(value))  # type: ignore[arg-type]
        case code.Index(code.Attr(code.Name(of), "shape"), (code.Literal(axis),)):
            return shape(of, int(axis)) if isinstance(axis, int) else None
        case code.Unary(op, operand):
            inner = _converted(operand, names, name, shape)
            return None if inner is None else code.Unary(op, inner)
        case code.Binary(op, left, right):
            first, second = _converted(left, names, name, shape), _converted(right, names, name, shape)
            return None if first is None or second is None else code.Binary(op, first, second)
    return None


class Updates:
    """When the updates of a layer are written: ahead of the first call that reads a state's new value, else last."""

    def __init__(self, inside: Inside) -> None:
        self.order = {update.after: position for position, update in enumerate(inside.updates)}
        self.pending = {update.after: update for update in inside.updates}
        first: dict[Value, int] = {}
        last: dict[Value, int] = {}
        for position, node in enumerate(inside.nodes):
            for value in node.operands():
                first.setdefault(value, position)
                last[value] = position
        # the states whose old value is read when the new one has taken its place
        self.saved = [u for u in inside.updates if u.after in first and last.get(u.before, -1) >= first[u.after]]

    def due(self, node: Node | None) -> list[Update]:
        """The updates to be written ahead of `node`; None asks for the rest."""
        read = list(self.pending) if node is None else self.pending.keys() & set(node.operands())
        return [self.pending.pop(value) for value in sorted(read, key=self.order.__getitem__)]


def states(inside: Inside) -> dict[Value, str]:
    """The values that stand for a weight or state, with its name."""
    found = {value: name for name, (_, value) in inside.weights.items()}
    return found | {update.after: update.name for update in inside.updates}
