"""The calls of a model as a tree: those of one call of a block, and of one round of a repeat, stand together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from nndsl.ir.graph import BlockCall, Node, Region, Round, Value
from nndsl.layers.entry import snake_case
from nndsl.passes.held import BlockLayer
from nndsl.records import fresh, mutable


class NotStructured(Exception):
    """The model cannot be written with its blocks as classes or functions; it is written flat."""


@mutable
class CallItem:
    """One call of a block: `inputs` and `outputs` are its ports."""

    call: BlockCall
    items: list[Item] = fresh(default_factory=list)
    inputs: list[Node] = fresh(default_factory=list)
    outputs: list[Node] = fresh(default_factory=list)

    def operands(self) -> Iterator[Value]:
        return (port.inputs[0] for port in self.inputs)

    @property
    def results(self) -> tuple[Value, ...]:
        return tuple(port.results[0] for port in self.outputs)


@mutable
class RoundItem:
    round: Round
    items: list[Item] = fresh(default_factory=list)


@mutable
class LoopItem:
    """One `repeat`."""

    repeat: object
    rounds: list[RoundItem] = fresh(default_factory=list)


Step: TypeAlias = Node | CallItem
Item: TypeAlias = Node | CallItem | LoopItem


def structure(nodes: Sequence[Node], within: Region | None = None) -> list[Item]:
    """The nodes, which stand in `within`, as a tree, in their order."""
    top: list[Item] = []
    path: list[tuple[Region, list[Item], CallItem | None]] = []
    for node in nodes:
        regions = _regions(node.region, within)
        kept = 0
        while kept < len(path) and kept < len(regions) and path[kept][0] is regions[kept]:
            kept += 1
        del path[kept:]
        for region in regions[kept:]:
            around = path[-1][1] if path else top
            if isinstance(region, Round):
                last = around[-1] if around else None
                if not isinstance(last, LoopItem) or last.repeat is not region.repeat:
                    last = LoopItem(region.repeat)
                    around.append(last)
                round_item = RoundItem(region)
                last.rounds.append(round_item)
                path.append((region, round_item.items, None))
            else:
                assert isinstance(region, BlockCall)
                item = CallItem(region)
                around.append(item)
                path.append((region, item.items, item))
        if node.port:
            item_at = path[-1][2]
            assert item_at is not None
            (item_at.inputs if node in item_at.call.inputs else item_at.outputs).append(node)
        else:
            (path[-1][1] if path else top).append(node)
    return top


def _regions(region: Region | None, within: Region | None) -> list[Region]:
    """From the outermost in `within` to this one."""
    found: list[Region] = []
    while region is not None and region is not within:
        found.append(region)
        region = region.parent
    found.reverse()
    return found


def steps(items: Sequence[Item]) -> Iterator[Step]:
    """The calls of one body, those in its loops included, those inside of blocks not."""
    for item in items:
        if isinstance(item, LoopItem):
            for one in item.rounds:
                yield from steps(one.items)
        else:
            yield item


def readers(body: Iterable[Step]) -> dict[Value, list[Step]]:
    """The calls that take each value."""
    found: dict[Value, list[Step]] = {}
    for step in body:
        for value in dict.fromkeys(step.operands()):
            found.setdefault(value, []).append(step)
    return found


def held_call(layer: BlockLayer, flat: bool) -> CallItem:
    """The call of a block that another layer holds."""
    [item] = structure(layer.graph(flat).nodes, layer.made.parent)
    assert isinstance(item, CallItem)
    return item


def statement_of(step: Node | CallItem, call: BlockCall) -> str:
    """The statement that a call stands in: `skip` of `skip_conv2d_2`; of an output
    rather the layer; "" for one that only passes its input on."""
    if isinstance(step, CallItem):
        path, title = step.call.path, step.call.name
    elif step.config.title() == "Identity":
        return ""
    else:
        path, title = step.layer.path, step.config.title()
    title = snake_case(title)
    statement = re.sub(rf"_{re.escape(title)}(_\d+)?\Z", "", path.removeprefix(f"{call.path}."))
    return title if statement in call.output_names else statement
