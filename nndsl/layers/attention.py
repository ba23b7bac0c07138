"""What attention layers share: masks, those that come with the inputs and those that the file asks for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from nndsl import code
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.emit import TorchCall
from nndsl.layers.shapes import Check, ShapeError


def masks_supported(layer: str, inputs: Sequence[TensorType]) -> None:
    """Demands that masks come with [steps, features] only."""
    for position, x in enumerate(inputs):
        if x.mask and x.rank != 3:
            raise ShapeError(
                f"`{layer}` can follow a mask over [steps, features] only, and gets {x} with a mask",
                code="NN0301",
                inputs=(position,),
                help="leave `mask_zero` out, or let a `Reshape` end the mask",
            )


def check_attention_mask(check: Check, layer: str, given: Any, query: TensorType, value: TensorType) -> None:
    """Demands one value of bool[query steps, value steps]; a size of 1 stands for all. Raises ShapeError."""
    steps, seen = query.shape[1], value.shape[1]
    wanted = f"bool{show_shape((steps, seen))}"

    def error(code: str = "NN0302") -> ShapeError:
        shown = " and ".join(map(str, given)) if isinstance(given, tuple) else str(given)
        return ShapeError(
            f"`attention_mask` of `{layer}` is {wanted} ([query steps, value steps]), and gets {shown}",
            code=code,
            argument="attention_mask",
            inputs=(),
            help=f"declare it as `input allowed: {wanted}`",
        )

    if not isinstance(given, TensorType) or given.dtype != "bool":
        raise error("NN0305")
    if given.rank != 3 or not given.batched:
        raise error("NN0301")
    for size, own in zip(given.features, (steps, seen), strict=True):
        if size != 1:
            check.equal(size, own, error())
    sizes = given.shape[0], query.shape[0]
    if all(isinstance(size, int) for size in sizes) and sizes[0] != sizes[1]:
        raise error()


def masks_of(t: TorchCall) -> bool:
    """Whether a mask comes with an input."""
    return any(mask is not None for mask in t.masks)


def attention_mask(
    t: TorchCall, values: Sequence[code.Expr], causal: bool, window: int | None = None
) -> code.Expr | None:
    """All masks of [batch, steps, features] together, as a tensor that fits [batch, heads, query steps, value steps]:
    True where a query may look. `values` are (query, value, …)."""
    parts: list[code.Expr] = []
    if causal:
        parts.append(code.call(t.helper("causal_mask"), values[0], values[1]))
    if window is not None:
        parts.append(code.call(t.helper("window_mask"), values[0], values[1], window))
    masks = t.masks if len(t.masks) > 1 else t.masks * 2  # what attends to itself is query and value
    for position, mask in enumerate(masks):
        if mask is not None:
            place = (None, code.Slice(), None) if position == 0 else (None, None)
            parts.append(code.index(mask, code.Slice(), *place))
    if "attention_mask" in t.tensors:
        parts.append(code.index(t.tensors["attention_mask"], code.Slice(), None))
    return reduce(lambda left, right: code.binary("&", left, right), parts) if parts else None
