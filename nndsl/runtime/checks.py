"""Arrays against the model, before anything is trained: shapes, sizes, dtypes, values."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Label
from nndsl.ir.dims import Dim, evaluate, free_symbols
from nndsl.ir.graph import Model
from nndsl.ir.types import show_shape
from nndsl.layers.families.transforms import Transform
from nndsl.passes.data_fit import row_fits
from nndsl.runtime.column_names import Columns
from nndsl.runtime.report import DataProblem
from nndsl.runtime.slots import Slot
from nndsl.runtime.sources import Opened
from nndsl.runtime.transforms import StepError
from nndsl.source import Span

Array: TypeAlias = npt.NDArray[Any]


class Filled:
    """The data of one slot: `values` [rows, …], from which source and which of its columns, and what `transforms` are
    still to be done to it (`changed`: they have been done)."""

    def __init__(
        self,
        slot: Slot,
        values: Array,
        source: Opened,
        key: Columns,
        span: Span,
        transforms: tuple[Transform, ...] = (),
        *,
        changed: bool = False,
    ) -> None:
        self.slot, self.values, self.source, self.key, self.span = slot, values, source, key, span
        self.transforms, self.changed = transforms, changed

    @property
    def what(self) -> str:
        """`the array `x` of points.npz`"""
        if isinstance(self.key, str):
            return f"`{self.key}` of {self.source.shown}"
        return self.source.shown

    def where(self, index: npt.NDArray[np.intp]) -> tuple[Span, str]:
        """The place of the value at `index`."""
        column = int(index[-1]) if len(index) > 1 else 0
        return self.source.place(self.key, int(index[0]), column, self.span)

    def problem(self, code: str, message: str, *, help: str | None = None, span: Span | None = None) -> DataProblem:
        declared = Label(self.slot.span, f"`{self.slot.name}`")
        place = span or self.span
        related = (declared,) if place != self.slot.span else ()
        return DataProblem(code, message, place, related=related, help=help)

    def step_problem(self, error: StepError, first: int = 0) -> DataProblem:
        """What a transform says of values that begin with row `first`."""
        if error.index is None:
            return self.problem(error.code, f"{self.what} {error.message}", help=error.help)
        place, where = self.where(np.array([first + error.index[0], *error.index[1:]]))
        return self.problem(error.code, f"{where} of {self.what} {error.message}", help=error.help, span=place)


def check_shape(filled: Filled, sizes: dict[str, tuple[int, str]]) -> None:
    """Brings `values` to the declared number of axes, and notes the sizes of free dimensions with who has them."""
    slot, values = filled.slot, filled.values
    if values.dtype.kind not in "biuf":
        raise filled.problem("NN0605", f"{filled.what} holds {values.dtype}, not numbers")
    if not row_fits(values.shape[1:], slot.row):
        raise filled.problem(
            "NN0605",
            f"{slot.what} `{slot.name}` takes {_rows(slot.row)}, and {filled.what} has {_rows(values.shape[1:])}",
            help=_shape_help(slot, values.shape[1:]),
        )
    row = values.shape[1:]
    if len(row) < len(slot.row):
        filled.values = values[..., None]
    elif len(row) > len(slot.row):
        filled.values = values[..., 0]
    for dim, size in zip(slot.row, filled.values.shape[1:], strict=True):
        names = free_symbols(dim) if not isinstance(dim, int) else ()
        if len(names) == 1 and evaluate(dim, {names[0]: 7}) == 7 and evaluate(dim, {names[0]: 8}) == 8:
            known = sizes.setdefault(names[0], (int(size), slot.name))
            if known[0] != size:
                raise filled.problem(
                    "NN0605", f"`{dim}` is {known[0]} in the data of `{known[1]}` and {size} in that of `{slot.name}`",
                    help="the same name means the same size everywhere in the model: pad or cut the shorter one",
                )  # fmt: skip


def check_sizes(filled: list[Filled], model: Model, sizes: dict[str, tuple[int, str]]) -> None:
    """Free dimensions against what the layers need of them, and formulas in the shapes of targets."""
    numbers = {name: size for name, (size, _) in sizes.items()}
    by_name = {item.slot.name: item for item in filled}
    for fact in model.constraints.facts():
        names = free_symbols(fact.dim)
        if all(name in numbers for name in names) and not fact.holds(numbers):
            owner = by_name[sizes[names[0]][1]]
            given = ", ".join(f"`{_label(owner.slot, name)}` is {numbers[name]}" for name in names)
            raise owner.problem(
                "NN0605", f"{given} in {owner.what}, and the model needs {fact}",
                help="pad the rows, or take a model with smaller windows",
            )  # fmt: skip
    for item in filled:
        for dim, size in zip(item.slot.row, item.values.shape[1:], strict=True):
            if isinstance(dim, int) or not all(name in numbers for name in free_symbols(dim)):
                continue
            if (wanted := evaluate(dim, numbers)) != size:
                raise item.problem(
                    "NN0605", f"`{item.slot.name}` has {wanted} steps ({dim}) for data of this size, and {item.what} "
                    f"has {size}",
                )  # fmt: skip


def _label(slot: Slot, name: str) -> str:
    return next((str(d) for d in slot.row if not isinstance(d, int) and free_symbols(d) == (name,)), name)


def check_values(filled: Filled, float_dtype: str) -> Array:
    """The array in the dtype that the model takes (class ids as int64). Raises DataProblem."""
    slot, values = filled.slot, filled.values
    if values.dtype.kind == "f":
        _refuse(filled, ~np.isfinite(values), lambda value: f"is {'missing (nan)' if np.isnan(value) else value}",
                "fill the gap, or leave the row out")  # fmt: skip
    dtype = slot.type.dtype
    if slot.type.is_float:
        _check_targets(filled)
        limit = np.finfo(np.float32).max if dtype != "float64" else None
        if limit is not None and values.dtype.itemsize > 4:
            _refuse(filled, np.abs(values) > limit, lambda v: f"is {v:g}, too large for {dtype}", None)
        return values.astype("float32" if dtype in ("bfloat16", "float16") else dtype, copy=False)
    if values.dtype.kind == "f":
        _refuse(filled, values != np.floor(values), lambda v: f"is {v:g}, and `{slot.name}` takes integers",
                "class ids are integers; for numbers to predict take `mse`" if slot.what == "output"
                else "declare it as `float[…]` if it is no id")  # fmt: skip
    if dtype == "bool":
        _refuse(filled, (values != 0) & (values != 1), lambda v: f"is {v:g}, and `{slot.name}` is true or false", None)
        return values.astype(bool)
    if slot.classes is not None:
        _check_classes(filled, slot.classes)
    elif slot.ids is not None:
        count, layer, place, _ = slot.ids
        _refuse(filled, (values < 0) | (values >= count),
                lambda v: f"is {v:g}, and `{layer}` takes ids from 0 to {count - 1:,}",
                f"give the Embedding as many ids as there are: `Embedding({int(values.max()) + 1}, …)`"
                if values.max() >= count else "ids count from 0",
                Label(place, f"{count:,} ids"))  # fmt: skip
    else:
        limits = np.iinfo(dtype)
        _refuse(filled, (values < limits.min) | (values > limits.max),
                lambda v: f"is {v:g}, and {dtype} ends at {limits.max:,}", None)  # fmt: skip
    return values.astype(dtype, copy=False)


def _check_classes(filled: Filled, classes: int) -> None:
    values, ignored = filled.values, filled.slot.ignored
    wrong = (values < 0) | (values >= classes)
    if ignored is not None:
        wrong &= values != ignored
    counts_from_1 = values.size and values.min() == 1 and values.max() == classes
    _refuse(
        filled, wrong, lambda v: f"is {v:g}, and `{filled.slot.name}` has {classes} classes, 0 to {classes - 1}",
        "the classes count from 1: add `-> offset(-1)`" if counts_from_1
        else f"give the last layer {int(values.max()) + 1} units, if there are so many classes"
        if values.size and values.max() >= classes else "class ids count from 0",
    )  # fmt: skip


def _check_targets(filled: Filled) -> None:
    """The coding of targets that are no class ids, against their loss."""
    slot, values = filled.slot, filled.values
    if slot.loss.startswith("categorical") and slot.loss != "categorical_hinge":
        sums = values.sum(-1, dtype=np.float64)
        wrong = (np.abs(sums - 1) > 1e-3) | (values < 0).any(-1)
        if wrong.any():
            index = np.argwhere(wrong)[0]
            place, where = filled.source.place(filled.key, int(index[0]), 0, filled.span)
            raise filled.problem(
                "NN0606",
                f"{where} of {filled.what} is no one-hot row: its numbers sum to {float(sums[tuple(index)]):g}",
                help=f"`{slot.loss}` takes rows with a single 1: `one_hot({values.shape[-1]})` makes them of class ids",
                span=place,
            )  # fmt: skip
    elif slot.loss.startswith("binary"):
        _refuse(filled, (values < 0) | (values > 1), lambda v: f"is {v:g}, and `{slot.loss}` takes 0 and 1",
                "bring it to 0 … 1 with `scale` and `offset`, or train with `mse`")  # fmt: skip


def _refuse(filled: Filled, wrong: Any, says: Any, help: str | None, related: Label | None = None) -> None:
    """Reports the first value that is wrong, if there is one."""
    if not np.any(wrong):
        return
    index = np.argwhere(wrong)[0]
    value = filled.values[tuple(index)]
    place, where = filled.where(index)
    count = int(np.sum(wrong))
    after = " after the transforms" if filled.changed else ""
    problem = filled.problem(
        "NN0606", f"{where} of {filled.what} {says(value)}{after}"
        + (f" ({count - 1:,} more like it)" if count > 1 else ""), help=help, span=place,
    )  # fmt: skip
    if related is not None:
        diagnostic = problem.diagnostic
        problem = DataProblem("NN0606", diagnostic.message, place, related=(*diagnostic.related, related), help=help)
    raise problem


def check_rows(filled: list[Filled]) -> int:
    """The number of rows, the same everywhere."""
    first = filled[0]
    rows = len(first.values)
    for item in filled:
        if len(item.values) == 0:
            raise item.problem("NN0605", f"{item.what} holds no row", span=item.span)
        if len(item.values) != rows:
            raise item.problem(
                "NN0605", f"{first.what} has {rows:,} rows for `{first.slot.name}`, and {item.what} has "
                f"{len(item.values):,} for `{item.slot.name}`",
                help="every row of one belongs to the same row of the other",
            )  # fmt: skip
    return rows


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
