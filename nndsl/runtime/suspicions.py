"""What looks wrong in data that can be trained on all the same: warnings."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from nndsl.diagnostics.model import Diagnostic
from nndsl.ir.graph import Model, Output, Value
from nndsl.layers.entry import snake_case
from nndsl.runtime.columns import Column
from nndsl.runtime.report import warning
from nndsl.runtime.slots import WEIGHTS, trained
from nndsl.source import Span

REGRESSION = ("mean_squared", "mean_absolute", "huber", "log_cosh")
"""How the names of losses begin that measure a distance between numbers."""
NUMBERS_OF_AN_IMAGE = 64
"""As many numbers a row as make whole numbers from 0 to 255 look like pixels."""
SCALING = ("Rescaling", "Normalization", "BatchNormalization", "LayerNormalization")
KEEPING = ("Reshape", "Flatten", "Permute", "ZeroPadding", "Cropping", "Resizing")
"""Layers that may stand before those."""


def suspicions(model: Model, columns: Mapping[str, Column]) -> list[Diagnostic]:
    """Warnings in the order of inputs, outputs and weights."""
    columns = {name: column for name, column in columns.items() if column.checked is not None}
    found: list[Diagnostic | None] = [
        _unscaled(columns[item.name], item.value) for item in model.inputs if item.name in columns
    ]
    for output in trained(model):
        if output.name in columns:
            column = columns[output.name]
            found += [_constant(column), _hinge(column), _accuracy(column, output)]
    found += [_negative(column) for column in columns.values() if column.slot.what == WEIGHTS]
    return [item for item in found if item is not None]


def _unscaled(column: Column, value: Value) -> Diagnostic | None:
    """Pixels from 0 to 255: steps of training that suit numbers around 1 are far too large for them."""
    seen = column.checked
    assert seen is not None
    if not column.slot.type.is_float or not seen.whole or prod(column.row) < NUMBERS_OF_AN_IMAGE:
        return None
    if seen.low is None or seen.low < 0 or not 128 <= seen.high <= 255:
        return None
    if _is_scaled(value):
        return None
    return warning(
        "NN0606", f"`{column.slot.name}` takes numbers from {seen.low:g} to {seen.high:g}, as pixels are stored",
        _place(column),
        help="networks learn better from numbers around 1: add `-> scale(1 / 255)` to its line of the `data` section, "
        "or `Rescaling(1 / 255)` as the first layer",
    )  # fmt: skip


def _place(column: Column) -> Span:
    """The line of the data section; for a file of the command line, what the model declares."""
    return column.filled.span if column.filled.span.file.text else column.slot.span


def _is_scaled(value: Value) -> bool:
    """Whether a layer brings the numbers to another size before any other sees them."""
    waiting = [value]
    while waiting:
        for node in waiting.pop().uses:
            name = type(node.layer.config).__name__
            if name in SCALING:
                return True
            if name in KEEPING:
                waiting.extend(node.results)
    return False


def _constant(column: Column) -> Diagnostic | None:
    seen = column.checked
    assert seen is not None
    if column.rows < 2 or seen.low is None or seen.low != seen.high:
        return None
    return warning(
        "NN0606", f"every target of `{column.slot.name}` is {seen.low:g}: there is nothing to learn",
        _place(column),
        help="is the right column or array taken?",
    )  # fmt: skip


def _hinge(column: Column) -> Diagnostic | None:
    """Keras turns 0 and 1 into -1 and 1, and takes all other targets as they are."""
    seen, slot = column.checked, column.slot
    assert seen is not None
    if slot.loss not in ("hinge", "squared_hinge") or seen.low is None or seen.signs:
        return None
    if seen.whole and seen.low >= 0 and seen.high <= 1:
        return None
    return warning(
        "NN0606",
        f"the targets of `{slot.name}` reach from {seen.low:g} to {seen.high:g}, and `{slot.loss}` takes -1 and 1",
        _place(column),
        help="for numbers to predict take `mse`, for several classes `categorical_hinge`",
    )  # fmt: skip


def _accuracy(column: Column, output: Output) -> Diagnostic | None:
    """The share of predictions that equal numbers to the last digit says nothing."""
    seen, slot = column.checked, column.slot
    assert seen is not None
    if not slot.loss.startswith(REGRESSION) or seen.whole:
        return None
    if not any("accuracy" in snake_case(type(metric).__name__) for metric in output.metrics):
        return None
    return warning(
        "NN0606",
        f"`accuracy` counts predictions that equal their targets, and those of `{slot.name}` are numbers such as "
        f"{seen.low:g}", output.options.get("metrics", slot.span),
        help="`mae` says by how much predictions are wrong",
    )  # fmt: skip


def _negative(column: Column) -> Diagnostic | None:
    """Keras takes weights below 0 too, and learns to be wrong where they are."""
    seen, filled = column.checked, column.filled
    assert seen is not None
    if not seen.negative.count:
        return None
    place, where = filled.where(column.series_index(seen.negative.index))
    return warning(
        "NN0606", f"{where} is {seen.negative.value:g}: a weight below 0 rewards mistakes", place,
        help="weights of samples are 0 or more; 0 leaves a sample out",
    )  # fmt: skip
