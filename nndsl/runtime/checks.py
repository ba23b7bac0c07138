"""Arrays against the model, before anything is trained: rows, shapes, sizes; `values.py` looks at the values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Label
from nndsl.ir.dims import Dim, evaluate, free_symbols
from nndsl.ir.graph import Model
from nndsl.ir.types import show_shape
from nndsl.layers.families.transforms import Transform
from nndsl.passes.data_fit import row_fits
from nndsl.runtime.column_names import Columns
from nndsl.runtime.opened import Opened
from nndsl.runtime.report import DataProblem
from nndsl.runtime.slots import Slot
from nndsl.runtime.transforms import StepError
from nndsl.source import Span

if TYPE_CHECKING:
    from nndsl.runtime.columns import Column

Array: TypeAlias = npt.NDArray[Any]


class Filled:
    """The data of one slot: `values` [rows, …], from which source and which of its columns, and what `transforms` are
    still to be done to it."""

    def __init__(
        self,
        slot: Slot,
        values: Array,
        source: Opened,
        key: Columns,
        span: Span,
        transforms: tuple[Transform, ...] = (),
    ) -> None:
        self.slot, self.values, self.source, self.key, self.span = slot, values, source, key, span
        self.transforms = transforms

    @property
    def what(self) -> str:
        """`the array `x` of points.npz`"""
        if isinstance(self.key, str):
            return f"`{self.key}` of {self.source.shown}"
        return self.source.shown

    def where(self, index: npt.NDArray[np.intp]) -> tuple[Span, str]:
        """The place of the value at `index`, and in words."""
        column = int(index[-1]) if len(index) > 1 else 0
        place, where = self.source.place(self.key, int(index[0]), column, self.span)
        return place, f"{where} of {self.source.shown if self.source.names_columns else self.what}"

    def problem(
        self, code: str, message: str, *, help: str | None = None, span: Span | None = None,
        related: tuple[Label, ...] = (),
    ) -> DataProblem:  # fmt: skip
        declared = Label(self.slot.span, f"`{self.slot.name}`")
        place = span or self.span
        own = (declared,) if place != self.slot.span else ()
        return DataProblem(code, message, place, related=(*own, *related), help=help)

    def step_problem(self, error: StepError) -> DataProblem:
        """What a transform says of the values."""
        if error.index is None:
            return self.problem(error.code, f"{self.what} {error.message}", help=error.help)
        place, where = self.where(np.array(error.index))
        return self.problem(error.code, f"{where} {error.message}", help=error.help, span=place)


def check_shape(column: Column, sizes: dict[str, tuple[int, str, str]]) -> None:
    """Brings a row behind the transforms to the declared number of axes (`column.row`), and notes the sizes of free
    dimensions with who has them, and in what. Raises DataProblem."""
    filled, slot = column.filled, column.slot
    row, dtype = column.sample()
    if dtype.kind not in "biuf":
        raise filled.problem("NN0605", f"{filled.what} holds {dtype}, not numbers")
    if not row_fits(row, slot.row):
        raise filled.problem(
            "NN0605",
            f"{slot.what} `{slot.name}` takes {_rows(slot.row)}, and {filled.what} has {_rows(row)}",
            help=_shape_help(slot, row),
        )
    if len(row) < len(slot.row):
        row = (*row, 1)
    elif len(row) > len(slot.row):
        row = row[:-1]
    column.row = row
    for dim, size in zip(slot.row, row, strict=True):
        names = free_symbols(dim) if not isinstance(dim, int) else ()
        if len(names) == 1 and evaluate(dim, {names[0]: 7}) == 7 and evaluate(dim, {names[0]: 8}) == 8:
            known, owner, where = sizes.setdefault(names[0], (int(size), slot.name, filled.what))
            if known != size:
                same = owner == slot.name
                raise filled.problem(
                    "NN0605",
                    f"`{dim}` is {known} in {where}, and {size} in {filled.what}"
                    if same
                    else f"`{dim}` is {known} in the data of `{owner}` and {size} in that of `{slot.name}`",
                    help="all parts of the data have the same sizes: pad or cut the shorter one"
                    if same
                    else "the same name means the same size everywhere in the model: pad or cut the shorter one",
                )


def check_sizes(columns: list[Column], model: Model, sizes: dict[str, tuple[int, str, str]]) -> None:
    """Free dimensions against what the layers need of them, and formulas in the shapes of targets. Raises
    DataProblem."""
    numbers = {name: size for name, (size, _, _) in sizes.items()}
    by_name = {column.slot.name: column.filled for column in columns}
    for fact in model.constraints.facts():
        names = free_symbols(fact.dim)
        if all(name in numbers for name in names) and not fact.holds(numbers):
            owner = by_name[sizes[names[0]][1]]
            given = ", ".join(f"`{_label(owner.slot, name)}` is {numbers[name]}" for name in names)
            raise owner.problem(
                "NN0605", f"{given} in {owner.what}, and the model needs {fact}",
                help="pad the rows, or take a model with smaller windows",
            )  # fmt: skip
    for column in columns:
        item = column.filled
        for dim, size in zip(item.slot.row, column.row, strict=True):
            if isinstance(dim, int) or not all(name in numbers for name in free_symbols(dim)):
                continue
            if (wanted := evaluate(dim, numbers)) != size:
                raise item.problem(
                    "NN0605", f"`{item.slot.name}` has {wanted} steps ({dim}) for data of this size, and {item.what} "
                    f"has {size}",
                )  # fmt: skip


def _label(slot: Slot, name: str) -> str:
    return next((str(d) for d in slot.row if not isinstance(d, int) and free_symbols(d) == (name,)), name)


def check_rows(columns: list[Column]) -> int:
    """The number of rows, the same everywhere. Raises DataProblem."""
    first = columns[0]
    for column in columns:
        filled = column.filled
        if len(filled.values) == 0:
            raise filled.problem("NN0605", f"{filled.what} holds no row", help="is this the right file?")
        if column.rows != first.rows:
            after = " behind the transforms" if first.early or column.early else ""
            raise filled.problem(
                "NN0605", f"{first.filled.what} has {first.rows:,} rows for `{first.slot.name}`{after}, and "
                f"{filled.what} has {column.rows:,} for `{column.slot.name}`",
                help="every row of one belongs to the same row of the other",
            )  # fmt: skip
        if column.rows == 0:
            raise filled.problem(
                "NN0605", f"{filled.what} has too few rows for `{column.early[-1].name}`: {len(filled.values):,}",
                help="give more data, or take shorter windows",
            )  # fmt: skip
    return first.rows


def _rows(row: tuple[Dim, ...] | tuple[int, ...]) -> str:
    return "one number a row" if tuple(row) == () else f"rows of shape {show_shape(tuple(row))}"


def _shape_help(slot: Slot, row: tuple[int, ...]) -> str | None:
    if slot.classes is not None and row[-1:] == (slot.classes,):
        return (
            "`sparse_categorical_crossentropy` takes class ids: these are one-hot rows, for `categorical_crossentropy`"
        )
    if slot.what == "output" and slot.loss.startswith("categorical") and row_fits(row, slot.row[:-1]):
        return f"these are class ids: add `-> one_hot({slot.row[-1]})`, or train with `sparse_categorical_crossentropy`"
    if all(isinstance(d, int) for d in slot.row) and int(np.prod(row)) == int(np.prod([int(str(d)) for d in slot.row])):
        return f"the number of values is right: add `-> reshape({', '.join(map(str, slot.row))})`"
    return None
