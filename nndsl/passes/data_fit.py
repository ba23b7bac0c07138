"""Whether what a line of the `data` section brings fits what the model declares, as far as that can be known here."""

from __future__ import annotations

from typing import TypeAlias

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.ir.dims import Dim
from nndsl.ir.graph import Input, Output, SampleWeights
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.entry import ConfigError
from nndsl.layers.families.transforms import OneHot, Transform
from nndsl.passes.data_fields import FieldUse
from nndsl.passes.outputs import target_type
from nndsl.passes.sample_weights import weights_type
from nndsl.source import Span

Slot: TypeAlias = Input | Output | SampleWeights
"""What data can fill."""


def is_sparse(output: Output) -> bool:
    """Whether the output's loss takes class ids instead of a row of numbers."""
    return bool(output.loss is not None and output.loss.sparse)


def wanted_type(slot: Slot) -> TensorType:
    """What the data of an input, of an output with a loss, or of weights must be."""
    if isinstance(slot, SampleWeights):
        return weights_type(slot)
    return target_type(slot) if isinstance(slot, Output) else slot.value.type


def row_fits(row: tuple[int, ...], wanted: tuple[Dim, ...]) -> bool:
    """Whether rows of that shape can be used; a last axis of size 1 may be there or not."""

    def same(a: tuple[int, ...], b: tuple[Dim, ...]) -> bool:
        return len(a) == len(b) and all(not isinstance(y, int) or x == y for x, y in zip(a, b, strict=True))

    return (
        same(row, wanted)
        or (wanted[-1:] == (1,) and same(row, wanted[:-1]))
        or (row[-1:] == (1,) and same(row[:-1], wanted))
    )


def fit(slot: Slot, field: FieldUse, transforms: list[tuple[Transform, Span]], problems: Problems) -> bool:
    """Follows the shape of a row through the transforms; False where it does not fit (reported)."""
    row, place = field.row, field.span
    for transform, span in transforms:
        try:
            after = transform.shape(row)
        except ConfigError as error:
            problems.error(error.code, error.message, span, related=(Label(place, _row(row)),), help=error.help)
            return False
        if not transform.keeps:
            place = span
        row = after
    if row is None:
        return True
    wanted = wanted_type(slot).features
    if row_fits(row, wanted):
        return True
    _misfit(slot, field, transforms, row, wanted, place, problems)
    return False


def _row(row: tuple[int, ...] | None) -> str:
    if row is None:
        return ""
    return "one number a row" if row == () else f"rows of shape {show_shape(row)}"


def _misfit(
    slot: Slot,
    field: FieldUse,
    transforms: list[tuple[Transform, Span]],
    row: tuple[int, ...],
    wanted: tuple[Dim, ...],
    place: Span,
    problems: Problems,
) -> None:
    end = field.span if not transforms else transforms[-1][1]
    help: str | None = None
    fixes: tuple[Fix, ...] = ()
    message = f"`{slot.name}` takes {_row(wanted)}, and gets {_row(row)}"  # type: ignore[arg-type]
    if isinstance(slot, Output):
        declared = Label(slot.name_span, f"`{slot.value.type}` with this loss" if slot.options else "")
        if "loss" in slot.options:
            declared = Label(slot.options["loss"], _loss_takes(slot))
        hot = next(((t, s) for t, s in transforms if isinstance(t, OneHot)), None)
        if is_sparse(slot) and hot is not None:
            arrow = Span(hot[1].file, _arrow_before(hot[1]), hot[1].end)
            help = "leave `one_hot` out, or train with `categorical_crossentropy`"
            fixes = (Fix("leave `one_hot` out", (Edit(arrow, ""),)),)
        elif not is_sparse(slot) and isinstance(slot.value.type.last, int) and row_fits(row, wanted[:-1]):
            classes = slot.value.type.last
            help = (
                f"turn class ids into rows with `one_hot({classes})`, or train with `sparse_categorical_crossentropy`"
            )
            insert = Span(end.file, end.end, end.end)
            fixes = (Fix(f"add `-> one_hot({classes})`", (Edit(insert, f" -> one_hot({classes})"),)),)
    elif isinstance(slot, SampleWeights):
        declared = Label(slot.span, f"one number for each {'step' if slot.each else 'sample'}")
    else:
        declared = Label(slot.span, f"declared as `{slot.value.type}`")
    if help is None and len(wanted) == 1 and len(row) == 1 and field.source.reader.has_columns and not transforms:
        help = f"a range ends before its last number: `{field.source.name}[0:{wanted[0]}]` has {wanted[0]} columns"
    elif help is None and _size(row) == _size(wanted) and _size(row) is not None:
        sizes = ", ".join(map(str, wanted))
        insert = Span(end.file, end.end, end.end)
        help = f"give the rows that shape: `-> reshape({sizes})`"
        fixes = (Fix(f"add `-> reshape({sizes})`", (Edit(insert, f" -> reshape({sizes})"),)),)
    if help is None and isinstance(slot, Input):
        declared_as = slot.value.type.with_shape(*row)
        help = f"declare the input as `{declared_as}`, or change the rows with `reshape`"
    elif help is None and isinstance(slot, SampleWeights):
        places = slot.output.value.type.features[:-1]
        help = "give one column, or a field of one number a row"
        if places and not slot.each:
            help = f"for a weight of each step, rows of shape {show_shape(places)}, write `step_weight={slot.name}`"
        elif slot.each:
            help = (
                f"write `sample_weight={slot.name}` for one number a sample, or give rows of shape {show_shape(places)}"
            )
    elif help is None and isinstance(slot, Output):
        help = f"the last layer gives rows of shape {show_shape(slot.value.type.features)}: change it, or the data"
    problems.error("NN0605", message, place, _row(row), related=(declared,), help=help, fixes=fixes)


def _loss_takes(output: Output) -> str:
    return (
        f"`{output.loss.spelled}` takes {'class ids' if is_sparse(output) else 'a number for each value of the output'}"
    )


def _arrow_before(span: Span) -> int:
    """Where the `->` in front of a stage, and the blanks before it, begin."""
    text = span.file.text
    at = text.rfind("->", 0, span.start)
    while at > 0 and text[at - 1] in " \t\r\n":
        at -= 1
    return at


def _size(shape: tuple[Dim, ...]) -> int | None:
    total = 1
    for dim in shape:
        if not isinstance(dim, int):
            return None
        total *= dim
    return total
