"""Which values training can change: those behind a weight that is trained."""

from __future__ import annotations

from nndsl.ir.graph import Model, Node, Value


def learned_values(model: Model) -> set[Value]:
    """The values through which a gradient surely flows. Layers that hold others count by their own weights alone."""
    found: set[Value] = set()
    for node in model.nodes:
        if any(value in found for value in node.operands()) or _trains(node):
            found.update(node.results)
    return found


def _trains(node: Node) -> bool:
    config = node.config
    if node.port or not config.trainable or config.children():
        return False
    return any(weight.trainable for weight in config.weights(*node.input_types))
