"""What functions of several tensors ask of them: one dtype, and axes that fit, by numpy's broadcasting, save that the
batch axis never meets any other."""

from __future__ import annotations

from nndsl.ir.dims import Dim, Formula
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.function import Function, misfit
from nndsl.layers.shapes import Check


def show(x: TensorType) -> str:
    """`float[T, 8]`, and that it has no batch axis."""
    if x.weak:
        return "a bool" if x.dtype == "bool" else "a number"
    return str(x) if x.batched else f"{x} without a batch axis"


def of_floats(function: Function, *operands: TensorType) -> None:
    """Demands floats. (A compile-time number is whatever it is combined with.)"""
    for position, x in enumerate(operands):
        if not x.is_float and not x.weak:
            raise misfit(
                f"`{function.title()}` computes with floats, and gets {show(x)}",
                _name(function, position),
                position,
                code="NN0305",
                help=f"convert it: `cast({{{position}}}, float)`",
            )


def of_numbers(function: Function, *operands: TensorType) -> None:
    """Demands numbers: a bool is none."""
    for position, x in enumerate(operands):
        if x.dtype == "bool":
            raise misfit(
                f"`{function.title()}` computes with numbers, and gets {show(x)}",
                _name(function, position),
                position,
                code="NN0305",
                help="write 1 or 0" if x.weak else f"`cast({{{position}}}, float)` makes 1 of true and 0 of false",
            )


def of_bools(function: Function, *operands: TensorType) -> None:
    """Demands bools."""
    for position, x in enumerate(operands):
        if x.dtype != "bool":
            raise misfit(
                f"`{function.title()}` takes bools, and gets {show(x)}",
                _name(function, position),
                position,
                code="NN0305",
                help=f"compare it with something, as in `{{{position}}} > 0`",
            )


def one_dtype(function: Function, *operands: TensorType, first: int = 0) -> str | None:
    """The dtype of all operands; compile-time numbers take that of the tensors, None where there are numbers alone.

    `first` is the position of the first of them among the function's operands."""
    tensors = [(position, x) for position, x in enumerate(operands, first) if not x.weak]
    if not tensors:
        return None
    place, one = tensors[0]
    for position, x in tensors[1:]:
        if x.dtype != one.dtype:
            whole = position if one.is_float else place
            target = one.dtype if one.is_float else x.dtype
            raise misfit(
                f"`{function.title()}` combines values of one dtype, and gets {show(one)} and {show(x)}",
                _name(function, position),
                position,
                place,
                code="NN0305",
                help=f"convert one: `cast({{{whole}}}, {_short(target)})`",
            )
    for position, x in enumerate(operands, first):
        if x.weak and x.dtype != one.dtype and not (one.is_float and x.dtype != "bool"):
            if x.dtype == "int32" and not one.is_float and one.dtype != "bool":
                continue
            raise misfit(
                f"`{function.title()}` gets {show(one)}, and `{{{position}}}` is no {_kind(one)}",
                _name(function, position),
                place,
                code="NN0305",
                help=f"convert the tensor: `cast({{{place}}}, float)`"
                if x.dtype != "bool"
                else "write a number, or compare: `x > 0`",
            )
    return one.dtype


def _short(dtype: str) -> str:
    return {"float32": "float", "int32": "int"}.get(dtype, dtype)


def _kind(x: TensorType) -> str:
    return "bool" if x.dtype == "bool" else "whole number"


def _name(function: Function, position: int) -> str:
    """The operand at `position`; those of a list are `xs.0`, `xs.1`, …"""
    names = function.operands
    if function.several and position >= len(names) - 1:
        return f"{function.several}.{position - len(names) + 1}"
    return names[position]


def same_batch(function: Function, *operands: TensorType) -> Dim | None:
    """The batch axis of the result, a fixed size rather than a free one; None where no operand has one."""
    batch: Dim | None = None
    for position, x in enumerate(operands):
        if x.batched:
            size = x.shape[0]
            if isinstance(batch, int) and isinstance(size, int) and batch != size:
                raise misfit(f"`{function.title()}` gets batches of {batch} and of {size}", _name(function, position))
            batch = batch if isinstance(batch, int) else size
    return batch


def numbers_together(check: Check, function: Function, x1: TensorType, x2: TensorType) -> TensorType:
    """The type of what is computed, element by element, from two operands that are numbers of one dtype."""
    of_numbers(function, x1, x2)
    dtype = one_dtype(function, x1, x2)
    assert dtype is not None
    return broadcast(check, function, x1, x2, dtype=dtype)


def broadcast(check: Check, function: Function, *operands: TensorType, dtype: str) -> TensorType:
    """The type of an elementwise result: axes align at the right, sizes are equal or 1. A free size is never 1."""
    tensors = [(position, x) for position, x in enumerate(operands) if not x.weak]
    batched = [(position, x) for position, x in tensors if x.batched]
    for position, x in batched[1:]:
        _same_rank(function, batched[0], (position, x))
    rank = max((x.rank for _, x in tensors), default=0)
    if batched:
        rank = batched[0][1].rank
        for position, x in tensors:
            if not x.batched and (x.rank > rank or (x.rank == rank and x.shape[0] != 1)):
                raise misfit(
                    f"`{function.title()}` gets {show(batched[0][1])} and {show(x)}: axes align at the right, and "
                    f"{x.shape[0]} would lie on the batch axis or in front of it",
                    _name(function, position),
                    position,
                    batched[0][0],
                    help="a value without a batch axis must have fewer axes than one with it, "
                    f"which has {rank} with the batch axis",
                )
    shape: list[Dim] = []
    for back in range(rank, 0, -1):
        if batched and back == rank:
            batch = same_batch(function, *operands)
            assert batch is not None
            shape.append(batch)
            continue
        sizes = [(position, x, x.shape[-back]) for position, x in tensors if x.rank >= back]
        chosen = sizes[0]
        for one in sizes[1:]:
            chosen = _fit(check, function, chosen, one, back)
        shape.append(chosen[2])
    return TensorType(tuple(shape), dtype, batched=bool(batched))


def _same_rank(function: Function, first: tuple[int, TensorType], second: tuple[int, TensorType]) -> None:
    (place, one), (position, other) = first, second
    if one.rank == other.rank:
        return
    less, (small, large) = (place, (one, other)) if one.rank < other.rank else (position, (other, one))
    missing = large.rank - small.rank
    fits_right = large.features[missing:] == small.features
    items = ["none"] * missing if fits_right or not small.features else [":"] * len(small.features) + ["none"] * missing
    raise misfit(
        f"`{function.title()}` gets {show(one)} and {show(other)}, which have different numbers of axes",
        _name(function, position),
        position,
        place,
        code="NN0301",
        help=f"give it the missing {'axis' if missing == 1 else 'axes'}, of size 1: "
        f"`{{{less}}}[:, {', '.join(items)}]`, or `expand_dims`; which ones is for you to say",
    )


Sized = tuple[int, TensorType, Dim]


def _fit(check: Check, function: Function, one: Sized, other: Sized, back: int) -> Sized:
    """Which of two sizes an axis of the result has: the one that is not 1."""
    if one[2] == 1 or one[2] == other[2]:
        return other if one[2] == 1 else one
    if other[2] == 1:
        return one
    place = "the last axis" if back == 1 else f"axis -{back}"
    if isinstance(one[2], Formula) or isinstance(other[2], Formula):
        help = (
            "a free dimension matches only itself: give both the same name where they are declared, or a number, or "
            "reduce one first (`mean(…, axis=1, keepdims=true)`)"
        )
    else:
        help = "sizes must be equal, or one of them 1"
        if back == 1:
            help += f"; a `Dense({one[2]})` before it would bring `{{{other[0]}}}` to the size of the other"
    error = misfit(
        f"`{function.title()}` gets {show(one[1])} and {show(other[1])}: {one[2]} and {other[2]} do not match on "
        f"{place}",
        _name(function, other[0]),
        other[0],
        one[0],
        help=help,
    )
    check.equal(one[2], other[2], error)
    return other if isinstance(one[2], Formula) and isinstance(other[2], int) else one


def tensor(function: Function, x: TensorType, rank: int, position: int = 0) -> None:
    """Demands `rank` axes or more, the batch axis among them."""
    if x.rank < rank:
        raise misfit(
            f"`{function.title()}` needs {rank} axes or more with the batch axis, and gets {show_shape(x.shape)}",
            _name(function, position),
            position,
            code="NN0301",
            help="add axes with `expand_dims` or `reshape`",
        )
