"""What the compiler predicts of a program that is run, and whether it can be run here."""

from __future__ import annotations

from math import prod

from nndsl.ir.dims import DimTooComplex, evaluate
from nndsl.ir.graph import Model
from nndsl.views.summary import Summary

MOST_PARAMETERS = 3_000_000
MOST_ELEMENTS = 30_000_000


def small_enough(found: Summary, sizes: dict[str, int]) -> bool:
    """Whether a program can be run here: a right one may well be larger than the memory."""
    if found.trainable + found.frozen > MOST_PARAMETERS:
        return False
    try:
        return all(
            prod(evaluate(dim, sizes) for dim in type_.features) < MOST_ELEMENTS / 100
            for row in found.rows
            for type_ in row.results
            if type_.known
        ) and (found.multiply_adds is None or evaluate(found.multiply_adds, sizes) < 300_000_000)
    except (DimTooComplex, KeyError):
        return False


def expected(model: Model, sizes: dict[str, int], rows: int) -> dict[str, tuple[tuple[int, ...], str]]:
    found = {}
    for output in model.outputs:
        type_ = output.value.type
        dims = type_.features if type_.batched else type_.shape
        shape = tuple(evaluate(dim, sizes) for dim in dims)
        found[output.name] = ((rows, *shape) if type_.batched else shape, type_.dtype)
    return found
