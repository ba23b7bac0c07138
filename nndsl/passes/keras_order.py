"""The order in which Keras runs the calls of a shared layer that keeps statistics of what it sees.

Moving statistics follow one call after the other, so that the order of calls shows in them where these do not depend
on each other. A Keras model forgets the order of the file: it goes back from its outputs, and runs what is farthest
from them first (`map_graph` in keras/src/ops/function.py). The torch program keeps the order of the file but for such
calls.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any, TypeAlias

from nndsl.ir.graph import BlockCall, LayerUse, Model, Node, Region, Value
from nndsl.records import fresh, mutable, replace

_Unit: TypeAlias = Node | Region
"""A call of the model's own, or all that one of its blocks or rounds comes to: these nodes stay together."""


def in_keras_order(model: Model) -> Model:
    """The model with its nodes in another order, where that makes a difference."""
    units: dict[_Unit, list[Node]] = {}
    for node in model.nodes:
        units.setdefault(_outermost(node.region) or node, []).append(node)
    shared: list[list[_Unit]] = []
    for use in model.layers:
        apart = list(dict.fromkeys(_outermost(node.region) or node for node in use.nodes))
        if len(apart) > 1 and _follows(use):
            shared.append(apart)
    if not shared:
        return model
    place = {key: number for number, key in enumerate(_Graph(model).order())}
    edges: list[tuple[_Unit, _Unit]] = []
    for calls in shared:
        wanted = sorted(calls, key=lambda unit: min(place.get(_key(node), 0) for node in units[unit]))
        edges += pairwise(wanted)
    order = _sorted(units, edges)
    if order is None or order == list(units):
        return model
    return replace(model, nodes=[node for unit in order for node in units[unit]])


def _follows(use: LayerUse) -> bool:
    """Whether training moves statistics of the layer."""
    return any(_moves(config, types) for config, types in _with_inner(use.config, use.nodes[0].input_types))


def _moves(config: Any, types: Any) -> bool:
    trains = config.trainable and config.title() != "Normalization"  # whose statistics come from `adapt` alone
    return trains and any(not weight.trainable for weight in config.weights(*types))


def _with_inner(config: Any, types: Any) -> Iterator[tuple[Any, Any]]:
    yield config, types
    for _, inner, inner_types in config.children():
        yield from _with_inner(inner, inner_types)


def _outermost(region: Region | None) -> Region | None:
    while region is not None and region.parent is not None:
        region = region.parent
    return region


def _sorted(units: dict[_Unit, list[Node]], edges: Iterable[tuple[_Unit, _Unit]]) -> list[_Unit] | None:
    """The units as they stand, but for the edges; None where these go round in a circle."""
    of = {node: unit for unit, nodes in units.items() for node in nodes}
    after: dict[_Unit, set[_Unit]] = {unit: set() for unit in units}
    for unit, nodes in units.items():
        for node in nodes:
            for value in node.operands():
                if value.producer is not None and of[value.producer] is not unit:
                    after[of[value.producer]].add(unit)
    for first, second in edges:
        after[first].add(second)
    waiting = dict.fromkeys(units, 0)
    for others in after.values():
        for other in others:
            waiting[other] += 1
    number = {unit: position for position, unit in enumerate(units)}
    by_number = list(units)
    ready = [number[unit] for unit, count in waiting.items() if not count]
    order: list[_Unit] = []
    while ready:
        unit = by_number[heappop(ready)]
        order.append(unit)
        for other in after[unit]:
            waiting[other] -= 1
            if not waiting[other]:
                heappush(ready, number[other])
    return order if len(order) == len(units) else None


# ------------------------------------------------------------------------------------------ the graph of Keras


def _whole(region: Region | None) -> BlockCall | None:
    """The outermost call around that is one node of the Keras model: of a shared block, of a layer of one's own."""
    found = None
    while region is not None:
        if isinstance(region, BlockCall) and (region.shared or region.definition.is_layer):
            found = region
        region = region.parent
    return found


def _key(node: Node) -> Hashable:
    return _whole(node.region) or node


@mutable
class _Graph:
    model: Model
    parents: dict[Hashable, list[Hashable]] = fresh(default_factory=dict)
    operations: dict[Hashable, Hashable] = fresh(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.model.nodes:
            call = _whole(node.region)
            key: Hashable = call or node
            if key in self.parents or (node.port and call is None):
                continue
            values = [port.inputs[0] for port in call.inputs] if call is not None else list(node.operands())
            self.parents[key] = list(self._makers(values))
            self.operations[key] = node.layer if call is None else (id(call.instance or call), call.path)

    def _makers(self, values: Iterable[Value]) -> Iterator[Hashable]:
        for value in values:
            call = _whole(value.producer.region) if value.producer is not None else None
            maker = call or value.maker
            if call is None and isinstance(maker, Node):
                maker = _whole(maker.region) or maker
            if maker is not None:
                yield maker

    def order(self) -> list[Hashable]:
        """The nodes in the order in which they run."""
        depths: dict[Hashable, int] = {}
        of_operations: dict[Hashable, int] = {}
        for key in reversed(self._from_outputs()):
            depth = max(depths.get(key, 0), of_operations.get(self.operations[key], 0))
            depths[key] = of_operations[self.operations[key]] = depth
            for parent in self.parents[key]:
                depths[parent] = max(depth + 1, depths.get(parent, 0))
        return sorted(depths, key=lambda key: -depths[key])

    def _from_outputs(self) -> list[Hashable]:
        """All nodes, those behind what they need: outputs in the order of their names, inputs from left to right."""
        values = [output.value for output in sorted(self.model.outputs, key=lambda output: output.name)]
        values += [penalty.value for penalty in self.model.penalties]
        found: dict[Hashable, None] = {}
        seen: set[Hashable] = set()
        for root in self._makers(values):
            stack = [(root, iter(self.parents[root]))] if root not in seen else []
            seen.add(root)
            while stack:
                key, rest = stack[-1]
                following = next((parent for parent in rest if parent not in seen), None)
                if following is None:
                    found[key] = None
                    stack.pop()
                else:
                    seen.add(following)
                    stack.append((following, iter(self.parents[following])))
        return list(found)
