"""`--data FILE`: what in the file belongs to which input and output, by names."""

from __future__ import annotations

from math import prod

from nndsl.diagnostics.suggest import did_you_mean
from nndsl.runtime.checks import Filled
from nndsl.runtime.column_names import Columns
from nndsl.runtime.opened_files import OpenParquet
from nndsl.runtime.report import DataProblem, file_span, listed
from nndsl.runtime.slots import Slot
from nndsl.runtime.sources import OpenArchive, OpenArray, OpenTable


def array_by_name(slot: Slot, source: OpenArchive) -> Filled:
    """The array of the slot's name. Raises DataProblem."""
    names = source.archive.names
    if slot.name not in names:
        raise DataProblem(
            "NN0601", f"{source.shown} has no array `{slot.name}`", slot.span, f"this {slot.what} needs it",
            help=did_you_mean(slot.name, names)
            or f"it has {listed(names) or 'no array'}; every input and output takes the array of its name",
        )  # fmt: skip
    values = source.take(slot.name, slot, file_span(source.shown))
    return Filled(slot, values, source, slot.name, file_span(source.shown))


def array_alone(slots: list[Slot], source: OpenArray) -> Filled:
    """The one array of a file for the one slot that the model has. Raises DataProblem."""
    if len(slots) > 1:
        names = " and ".join(f"`{slot.name}`" for slot in slots)
        raise DataProblem(
            "NN0601", f"{source.shown} holds one array, and the model takes {names}", slots[1].span,
            f"this {slots[1].what} needs data too",
            help="give an archive of arrays by name: `numpy.savez(file, "
            + ", ".join(f"{slot.name}={slot.name}" for slot in slots) + ")`",
        )  # fmt: skip
    place = file_span(source.shown)
    return Filled(slots[0], source.take(None, slots[0], place), source, None, place)


def columns_by_name(slot: Slot, source: OpenTable | OpenParquet, slots: list[Slot], left_out: list[Slot]) -> Filled:
    """The columns for the slot: the one of its name, `name_0`, `name_1`, … for several; or, where no column bears
    any of these names and the table is as wide as the model, in the order of inputs and outputs. The table may have
    columns for what is `left_out`, too. Raises DataProblem."""
    table, count = source.table, _width(slot)
    key: Columns
    names = table.names or []
    if not any(name in names for other in slots for name in _names(other)):
        key = _by_order(slot, source, slots, left_out)
    elif count == 1 and slot.name in names:
        key = slot.name
    else:
        wanted = _names(slot)
        lacking = [name for name in wanted if name not in names]
        if lacking:
            raise DataProblem(
                "NN0601", f"{source.shown} has no column `{lacking[0]}`", slot.span, f"this {slot.what} needs it",
                help=did_you_mean(lacking[0], names)
                or f"its columns are {listed(names)}",
            )  # fmt: skip
        key = tuple(wanted)
    place = file_span(source.shown)
    values = table.take(key, place)
    if values.ndim == 2 and all(isinstance(d, int) for d in slot.row) and len(slot.row) > 1:
        values = values.reshape(len(values), *(int(str(d)) for d in slot.row))
    return Filled(slot, values, source, key, place)


def _width(slot: Slot) -> int:
    if not all(isinstance(d, int) for d in slot.row):
        raise DataProblem(
            "NN0605", f"a table has columns of fixed number, and `{slot.name}` is {slot.type}", slot.span,
            help="give arrays of equal lengths in an .npz file",
        )  # fmt: skip
    return prod(int(str(d)) for d in slot.row)


def _names(slot: Slot) -> list[str]:
    count = prod(d for d in slot.row if isinstance(d, int))
    return [slot.name] if count == 1 else [f"{slot.name}_{number}" for number in range(count)]


def _by_order(slot: Slot, source: OpenTable | OpenParquet, slots: list[Slot], left_out: list[Slot]) -> Columns:
    widths = [_width(other) for other in slots]
    more = [sum(widths) + sum(_width(other) for other in left_out)] if left_out else []
    if source.table.width not in (sum(widths), *more):
        names = " ".join(f"`{other.name}` ({width})" for other, width in zip(slots, widths, strict=True))
        raise DataProblem(
            "NN0605",
            f"{source.shown} has {source.table.width} columns, and the model takes {sum(widths)}",
            slots[0].span,
            help=f"name the columns in a first line, or put them in this order: {names}",
        )  # fmt: skip
    start = sum(widths[: [other.name for other in slots].index(slot.name)])
    count = _width(slot)
    return start if count == 1 else slice(start, start + count, None)
