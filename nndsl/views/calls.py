"""Layers, losses and values as short text: what a person would say of them on a diagram."""

from __future__ import annotations

from collections.abc import Mapping

from nndsl.ir.graph import LayerUse, Model, Node, Value
from nndsl.layers import catalogue
from nndsl.layers.entry import Entry
from nndsl.layers.kinds import Maybe, Of, PerAxis
from nndsl.layers.values import spell

# How a layer starts and what training holds it to: not what a diagram is looked at for.
_MINOR = {"initializer", "regularizer", "constraint"}


def call_text(entry: Entry, *, whole: bool = False) -> str:
    """`Conv2D(32, 5, activation=relu)`: required arguments by position, the others that the file gives by name.

    Initializers, regularizers, constraints and names are left out, unless `whole`.
    """
    parts = []
    by_position = True
    for name, argument in entry.arguments.items():
        if name not in entry.given:
            by_position = False
            continue
        kind = argument.kind.kind if isinstance(argument.kind, Maybe) else argument.kind
        if not whole and (name in ("name", "seed") or (isinstance(kind, Of) and kind.category in _MINOR)):
            by_position = False
            continue
        value = entry.given[name]
        if isinstance(kind, PerAxis) and isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
        by_position = by_position and argument.required
        parts.append(value_text(value) if by_position else f"{name}={value_text(value)}")
    return f"{catalogue.spelling(type(entry))}({', '.join(parts)})"


def value_text(value: object) -> str:
    """A checked value of an argument; an option without arguments is its bare name (`relu`)."""
    if isinstance(value, Entry):
        own = getattr(value, "written", None)  # a block or layer of one's own
        if own is not None:
            return str(own)
        is_layer = value.category == "layer"
        return call_text(value) if value.given or is_layer else catalogue.spelling(type(value))
    if isinstance(value, tuple | list):
        items = ", ".join(map(value_text, value))
        return f"({items}{',' if len(value) == 1 else ''})"
    if isinstance(value, str) and value.isidentifier():
        return value
    return spell(value)


def layer_text(use: LayerUse) -> str:
    """The call that a layer is made by."""
    return call_text(use.config)


def call_numbers(model: Model) -> dict[Node, int]:
    """Which call of its layer each node is, from 1 on."""
    uses = dict.fromkeys(node.layer for node in model.nodes)
    return {node: number for use in uses for number, node in enumerate(use.nodes, 1)}


def value_name(value: Value, numbers: Mapping[Node, int]) -> str:
    """What a value is called among the others of its model: its input's name or its layer's path, and which call of
    a shared layer (`numbers`) or which of several results it is."""
    node = value.producer
    if value.number is not None:
        return spell(value.number)
    if node is None:
        return value.name
    if node.layer.config.is_function:
        return value.name or source_text(node)[:30]
    call = f" (call {numbers[node]})" if len(node.layer.nodes) > 1 else ""
    result = f"[{value.position}]" if len(node.results) > 1 else ""
    return f"{node.layer.path}{result}{call}"


def source_text(node: Node) -> str:
    """What the file says of a call, on one line."""
    return " ".join(node.span.text.split())
