"""The order of axes of images in the emitted code.

A file declares its images channels last (or first); torch's convolutions take them channels first, Keras's on a CPU
channels last. Before: a checked model. After: for each value whether its tensor has its channels *moved* against the
declared order, and so where a call's input has to be permuted: at the edges of a chain of convolutions, not inside.
"""

from __future__ import annotations

from typing import Literal

from nndsl.ir.graph import BlockCall, Model, Node, Value
from nndsl.records import fresh, mutable


@mutable
class Layout:
    """`moved` holds the values whose tensors have their channels moved; `wants` the calls that work on such."""

    moved: set[Value] = fresh(default_factory=set)
    wants: set[Node] = fresh(default_factory=set)

    def add(self, other: Layout) -> None:
        """Takes in what is planned for another graph."""
        self.moved |= other.moved
        self.wants |= other.wants


def layout(model: Model, native: Literal["channels_first", "channels_last"]) -> Layout:
    """Plans the axes for a target whose image layers work in `native` order."""
    result = Layout()
    for node in model.nodes:
        config = node.config
        ranks = {value.type.rank for value in node.inputs if not value.type.weak}  # a number fits any layout
        if not ranks or max(ranks) < 3:
            continue
        if config.layout in ("channels", "last"):
            other = config.data_format is not None and config.data_format != native
            moved = other and (config.layout == "channels" or native == "channels_last")
        elif config.layout == "any":
            moved = len(ranks) == 1 and any(value in result.moved for value in node.inputs)
            moved = moved or (_enters(node) and _wanted_moved(node.results[0], native))
        else:
            moved = False
        if moved:
            result.wants.add(node)
            if config.layout != "last":
                result.moved.update(v for v in node.results if v.type.rank == max(ranks))
    return result


def _enters(node: Node) -> bool:
    """Whether the node leads a value into a block. One that leads out hands on what the block's method gives."""
    return node.port and isinstance(node.region, BlockCall) and node in node.region.inputs


def _wanted_moved(value: Value, native: str) -> bool:
    """Whether all that uses a value inside of a block wants its channels moved: then its caller moves them, and the
    block is the same wherever it is called."""
    stack = list(value.uses)
    if not stack:
        return False
    while stack:
        node = stack.pop()
        config = node.config
        if node.port and node.results[0].uses:
            stack.extend(node.results[0].uses)
        elif config.layout != "channels" or config.data_format in (None, native):
            return False
    return True
