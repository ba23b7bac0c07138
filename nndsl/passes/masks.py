"""Which masks something needs."""

from __future__ import annotations

from nndsl.ir.graph import Model, Value


def masks_needed(model: Model) -> set[Value]:
    """The values whose masks something needs: a layer, or the loss of an output."""
    needed = {o.value for o in model.outputs if o.loss is not None and o.value.type.mask}
    for node in reversed(model.nodes):
        config = node.config
        if config.uses_mask or (node.results and node.results[0] in needed):
            needed.update(value for value in node.operands() if value.type.mask)
    return needed
