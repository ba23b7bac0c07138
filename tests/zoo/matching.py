"""Which layer of one Keras model is which layer of another: found along the graphs, whatever the layers are called and
in whatever order they were made.

Both graphs are walked from their outputs back. What has neither weights nor several inputs (activations, paddings,
poolings, dropout, constants added) is passed over, so that `Conv2D(activation=relu)` and `Conv2D` before an
`Activation` are alike: that such layers agree is for the outputs to show. What is left are layers with weights, which
must agree in class and shapes, and merges, whose inputs are matched in order, or, where the order says nothing (a sum,
a product), by the structure of what lies behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


class Mismatch(AssertionError):
    """The two graphs differ; the text names the two places."""


@dataclass(eq=False)
class Step:
    """One call in a graph: `operation` is None for an input of the model."""

    operation: Any
    inputs: list[Step]
    outer: str = ""
    weights: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "an input" if self.operation is None else f"`{self.operation.name}` ({self.kind})"

    @property
    def kind(self) -> str:
        return type(self.operation).__name__

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [tuple(weight.shape) for weight in self.weights]

    @cached_property
    def essential(self) -> Step:
        """This step, or the nearest behind it that has weights or joins different values."""
        step = self
        while not step.weights and step.inputs:
            behind = {id(item.essential): item.essential for item in step.inputs}
            if len(behind) > 1:
                return step
            step = next(iter(behind.values()))
        return step

    @cached_property
    def sources(self) -> list[Step]:
        return [item.essential for item in self.inputs]

    @cached_property
    def signature(self) -> int:
        """Equal for equal structures of layers with weights and merges, whatever their names."""
        below = [item.signature for item in self.sources]
        if not self.weights and self.kind != "Concatenate":
            below.sort()
        return hash((tuple(self.shapes), self.operation is None, tuple(below)))


def match(model: Any, other: Any) -> list[tuple[Any, Any]]:
    """The layers with weights of both models in pairs. Raises Mismatch where the graphs differ."""
    pairs: dict[int, tuple[Step, Step]] = {}
    waiting = list(zip(_outputs(model), _outputs(other), strict=True))
    while waiting:
        one, two = (step.essential for step in waiting.pop())
        known = pairs.get(id(one))
        if known is not None:
            if known[1] is not two:
                raise Mismatch(f"{one.name} is both {known[1].name} and {two.name}")
            continue
        _compare(one, two)
        pairs[id(one)] = (one, two)
        waiting += _sources(one, two)
    found = [(one.operation, two.operation) for one, two in pairs.values() if one.weights]
    for side, whole in enumerate((model, other)):
        missed = {layer.name for layer in with_weights(whole)} - {pair[side].name for pair in found}
        if missed:
            raise Mismatch(f"{whole.name}: nothing matches {', '.join(sorted(missed))}")
        if len({id(pair[side]) for pair in found}) < len(found):
            raise Mismatch(f"{whole.name}: a layer has several counterparts")
    return found


def _compare(one: Step, two: Step) -> None:
    places = f"{one.name} and {two.name}"
    if one.shapes != two.shapes:
        raise Mismatch(f"{places} have weights {one.shapes} and {two.shapes}")
    if len(one.sources) != len(two.sources):
        raise Mismatch(f"{places} have {len(one.sources)} and {len(two.sources)} inputs")
    if one.weights and one.kind != two.kind and _is_keras(one) and _is_keras(two):
        raise Mismatch(f"{places} are of different classes")


def _is_keras(step: Step) -> bool:
    return type(step.operation).__module__.startswith("keras.src.layers.")


def _sources(one: Step, two: Step) -> Iterator[tuple[Step, Step]]:
    ones, twos = one.sources, two.sources
    if [item.signature for item in ones] != [item.signature for item in twos] and not one.weights:
        kinds = {one.kind, two.kind}
        if "Concatenate" not in kinds and one.signature == two.signature:
            ones, twos = (sorted(items, key=lambda item: item.signature) for items in (ones, twos))
    return zip(ones, twos, strict=True)


def with_weights(model: Any) -> list[Any]:
    """The layers that own weights, those inside of nested models included."""
    found: list[Any] = []
    for layer in model.layers:
        if hasattr(layer, "layers") and hasattr(layer, "outputs"):
            found += with_weights(layer)
        elif layer.weights:
            found.append(layer)
    return found


def _outputs(model: Any) -> list[Step]:
    steps: dict[tuple[int, int, str], Step] = {}
    return [_step(tensor, {}, steps, "") for tensor in model.outputs]


def _step(tensor: Any, bound: dict[int, Step], steps: dict[tuple[int, int, str], Step], outer: str) -> Step:
    """The call that gives a tensor. `bound` are the inputs of the nested model that we are in."""
    if id(tensor) in bound:
        return bound[id(tensor)]
    operation, index, position = tensor._keras_history
    key = (id(operation), index, outer)
    if key in steps:
        return steps[key]
    node = operation._inbound_nodes[index]
    inputs = [_step(item, bound, steps, outer) for item in node.input_tensors]
    inner = getattr(operation, "_functional", operation)  # a Sequential has one
    if hasattr(inner, "_operations"):
        inside = {id(item): step for item, step in zip(inner.inputs, inputs, strict=True)}
        return _step(inner.outputs[position], inside, steps, f"{outer}/{operation.name}.{index}")
    if not node.input_tensors:
        operation = None
    weights = list(getattr(operation, "weights", []))
    steps[key] = Step(operation, inputs, outer, weights)
    return steps[key]
