"""What merging layers share: broadcasting as keras/src/layers/merging/base_merge.py does it, and masks."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl import code
from nndsl.ir.dims import Dim, Formula
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.emit import TorchCall
from nndsl.layers.shapes import Check, ShapeError, need_float


def shapes_of(inputs: Sequence[TensorType]) -> str:
    """`[8, 16], [8, 32] and [8]`"""
    shown = [show_shape(x.features) for x in inputs]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def same_dtype(inputs: Sequence[TensorType], layer: str) -> None:
    """Demands one dtype of all inputs."""
    for position, x in enumerate(inputs):
        if x.dtype != inputs[0].dtype:
            raise ShapeError(
                f"`{layer}` merges values of one dtype, and gets {inputs[0].dtype} and {x.dtype}",
                code="NN0305",
                inputs=(0, position),
                help="declare both alike; ids become floats by an `Embedding`",
            )


def same_batch(check: Check, inputs: Sequence[TensorType], layer: str) -> Dim:
    """The batch axis of the result: a fixed size wins over a free one, two fixed ones must agree."""
    batch = inputs[0].shape[0]
    for position, x in enumerate(inputs):
        size = x.shape[0]
        if isinstance(batch, int) and isinstance(size, int) and batch != size:
            raise ShapeError(f"`{layer}` gets batches of {batch} and of {size}", inputs=(0, position))
        batch = batch if isinstance(batch, int) else size
    return batch


def broadcast(check: Check, inputs: Sequence[TensorType], layer: str) -> TensorType:
    """The type of an elementwise merge: sizes are equal or 1, missing axes count as 1 behind the batch axis."""
    for position, x in enumerate(inputs):
        need_float(x, layer, input=position)
    same_dtype(inputs, layer)
    batch = same_batch(check, inputs, layer)
    rank = max(x.rank for x in inputs)
    result = []
    for back in range(rank - 1, 0, -1):
        sizes = [(position, x.shape[-back]) for position, x in enumerate(inputs) if x.rank > back]
        chosen: tuple[int, Dim] = sizes[0]
        for position, size in sizes[1:]:
            if chosen[1] == 1:
                chosen = position, size
            elif size != 1 and size != chosen[1]:
                check.equal(chosen[1], size, mismatch(inputs, layer, rank - back, rank, (chosen[0], position)))
                if isinstance(chosen[1], Formula) and isinstance(size, int):
                    chosen = position, size
        result.append(chosen[1])
    return TensorType((batch, *result), inputs[0].dtype)


def mismatch(
    inputs: Sequence[TensorType], layer: str, axis: int, rank: int, pair: tuple[int, int], *, joined: bool = False
) -> ShapeError:
    """The error for two inputs whose sizes differ on `axis` of `rank`."""
    back = rank - axis
    sizes = tuple(inputs[position].shape[-back] for position in pair)
    place = "the last axis" if back == 1 else f"axis {axis}"
    rule = "differ on" if joined else "match neither as equal sizes nor as 1 on"
    message = f"`{layer}` gets {shapes_of(inputs)}: {sizes[0]} and {sizes[1]} {rule} {place}"
    if all(isinstance(size, Formula) for size in sizes) and isinstance(sizes[0] - sizes[1], int):
        help = "they always differ: `padding=same` in the layers on the way keeps the size, or cut the longer one"
    elif any(isinstance(size, Formula) for size in sizes):
        help = (
            "a free dimension matches only itself: give both the same name where they are declared, or a number, or "
            "reduce one first (`GlobalMaxPooling1D()`, …)"
        )
    elif back == 1:
        remedy = {2: f"Dense({sizes[0]})", 3: f"Conv1D({sizes[0]}, 1)", 4: f"Conv2D({sizes[0]}, 1)"}
        dense = remedy.get(inputs[pair[1]].rank, f"Dense({sizes[0]})")
        help = f"bring one to the other's size, for instance with `{dense}` behind {_ordinal(pair[1])} input"
    else:
        help = "let the branches shrink alike: the same `strides`, kernel or pool sizes and `padding` on each way"
    if joined and rank > 2:
        help += f"; all axes but the joined one must be equal (`axis` of `{layer}` says which one is joined)"
    return ShapeError(message, inputs=pair, help=help)


def _ordinal(position: int) -> str:
    words = ("the first", "the second", "the third", "the fourth")
    return words[position] if position < len(words) else f"the {position + 1}th"


def lifted(t: TorchCall, inputs: Sequence[code.Expr]) -> list[code.Expr]:
    """The inputs with one rank: where one has fewer axes, axes of size 1 are put behind its batch axis."""
    rank = max(x.rank for x in t.inputs)
    result = []
    for x, type_ in zip(inputs, t.inputs, strict=True):
        missing = rank - type_.rank
        # PyTorch aligns shapes at the right, so only the batch axis can come to lie wrong.
        result.append(code.index(x, code.Slice(), *(None,) * missing) if missing else x)
    return result


def element_masks(t: TorchCall) -> list[code.Expr | None]:
    """For each input its mask with an axis of size 1 for the features, or None."""
    rank = max(x.rank for x in t.inputs)
    place = (code.Slice(), None) if t.first else (code.ELLIPSIS, None)
    return [
        None if mask is None or x.rank < rank else code.index(mask, *place)
        for mask, x in zip(t.masks, t.inputs, strict=True)
    ]


def any_mask(masks: Sequence[code.Expr | None]) -> code.Expr | None:
    """Where at least one input counts; None unless all have masks."""
    result: code.Expr | None = None
    for mask in masks:
        if mask is None:
            return None
        if result is None:
            result = mask
        elif mask != result:
            result = code.binary("|", result, mask)
    return result
