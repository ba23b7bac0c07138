"""The values of one slot against the model: everything wrong with them, found chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Label
from nndsl.runtime.report import DataProblem
from nndsl.runtime.slots import WEIGHTS

if TYPE_CHECKING:
    from nndsl.runtime.checks import Filled
    from nndsl.runtime.columns import Column

Array: TypeAlias = npt.NDArray[Any]
Mask: TypeAlias = Callable[[Array], Any]


class Rule:
    """One way for a value to be wrong: `wrong` gives a mask of a chunk, `says` what is to be said of the first, `help`
    the remedy when all is known."""

    def __init__(
        self, wrong: Mask, says: Callable[[Any], str], help: Callable[[], str | None], related: Label | None = None
    ) -> None:
        self.wrong, self.says, self.help, self.related = wrong, says, help, related
        self.count = 0
        self.index: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        self.value: Any = None

    def look(self, values: Array, usable: Any, first: int) -> None:
        mask = self.wrong(values)
        if usable is not None:
            mask = mask & usable
        if not np.any(mask):
            return
        if self.count == 0:
            self.index = np.argwhere(mask)[0]
            self.value = values[tuple(self.index)]
            self.index[0] += first
        self.count += int(np.sum(mask))

    def problem(self, filled: Filled, index: npt.NDArray[np.intp], after: str) -> DataProblem:
        """What is to be said; `index` is the place of the first in what the source gave."""
        place, where = filled.where(index)
        more = f" ({self.count - 1:,} more like it)" if self.count > 1 else ""
        message = f"{where} {self.says(self.value)}{after}{more}"
        related = (self.related,) if self.related is not None else ()
        return filled.problem("NN0606", message, help=self.help(), span=place, related=related)


def all_finite(values: Array) -> bool:
    """Whether no number is missing or infinite: a sum is quicker than a look at each, and is itself infinite if not."""
    if values.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.add.reduce(values, axis=None)) or np.isfinite(values).all())


def missing_values() -> Rule:
    """Missing and infinite values, which no model takes."""
    return Rule(
        lambda v: ~np.isfinite(v),
        lambda v: f"is {'missing (nan)' if np.isnan(v) else v}",
        lambda: "fill the gap, or leave the row out",
    )


class ValueCheck:
    """Looks at all values of a column, and knows what is wrong with them: `problems`. Also `low` and `high` (None
    without a finite value), `whole` (whether all are integers), and `signs` (whether all are -1 or 1)."""

    def __init__(self, column: Column) -> None:
        self.column, self.slot = column, column.slot
        self.low: Any = None
        self.high: Any = None
        self.whole = self.signs = True
        self.missing = missing_values()
        self.negative = Rule(lambda v: v < 0, lambda v: f"is {v:g}", lambda: None)
        """Weights of samples below 0, which are allowed."""
        self.sums: tuple[int, float] | None = None
        self.rules = self._rules()

    def look(self, values: Array, first: int) -> None:
        """Takes [rows, …] as the model does, but for the dtype; they begin with row `first`."""
        usable = None
        if not all_finite(values):
            usable = np.isfinite(values)
            self.missing.look(values, None, first)
        seen = values if usable is None else values[usable]
        if seen.size:
            low, high = seen.min(), seen.max()
            self.low = low if self.low is None else min(low, self.low)
            self.high = high if self.high is None else max(high, self.high)
            self.whole = self.whole and (values.dtype.kind != "f" or bool((seen == np.floor(seen)).all()))
            self.signs = self.signs and low >= -1 and high <= 1 and bool((np.abs(seen) == 1).all())
        for rule in self.rules:
            rule.look(values, usable, first)
        if self.slot.what == WEIGHTS:
            self.negative.look(values, usable, first)
        if self.sums is None and _is_categorical(self.slot.loss) and self.slot.what == "output":
            sums = values.sum(-1, dtype=np.float64)
            wrong = (np.abs(sums - 1) > 1e-3) | (values < 0).any(-1)
            if wrong.any() and usable is None:
                index = np.argwhere(wrong)[0]
                self.sums = (first + int(index[0]), float(sums[tuple(index)]))

    def problems(self) -> list[DataProblem]:
        """All that is wrong."""
        found = [self._problem(rule) for rule in (self.missing, *self.rules) if rule.count]
        if self.sums is not None:
            found.append(self._no_one_hot(*self.sums))
        return found

    def _problem(self, rule: Rule) -> DataProblem:
        after = " after the transforms" if self.column.steps else ""
        return rule.problem(self.column.filled, self.column.series_index(rule.index), after)

    def _no_one_hot(self, row: int, total: float) -> DataProblem:
        filled, classes = self.column.filled, self.column.row[-1]
        place, where = filled.where(self.column.series_index(np.array([row])))
        return filled.problem(
            "NN0606",
            f"{where} is no one-hot row: its numbers sum to {total:g}",
            help=f"`{self.slot.loss}` takes rows with a single 1: `one_hot({classes})` makes them of class ids",
            span=place,
        )

    # ------------------------------------------------------------------------------------------ rules

    def _rules(self) -> list[Rule]:
        slot, dtype = self.slot, self.slot.type.dtype
        if slot.type.is_float:
            rules = []
            if slot.what == "output" and slot.loss.startswith("binary"):
                rules.append(
                    Rule(
                        lambda v: (v < 0) | (v > 1),
                        lambda v: f"is {v:g}, and `{slot.loss}` takes 0 and 1",
                        lambda: (
                            "-1 and 1 are the targets of `hinge`; for this loss add `-> offset(1) -> scale(0.5)`"
                            if self.signs
                            else "bring it to 0 … 1 with `scale` and `offset`, or train with `mse`"
                        ),
                    )
                )
            if dtype != "float64":
                limit = float(np.finfo(np.float32).max)
                rules.append(
                    Rule(
                        lambda v: (
                            np.abs(v) > limit if v.dtype.itemsize > 4 and v.dtype.kind == "f" else np.bool_(False)
                        ),
                        lambda v: f"is {v:g}, too large for {dtype}",
                        lambda: "bring it to smaller numbers with `scale`",
                    )
                )
            return rules
        whole = Rule(
            lambda v: v != np.floor(v) if v.dtype.kind == "f" else np.bool_(False),
            lambda v: f"is {v:g}, and `{slot.name}` takes integers",
            lambda: (
                "class ids are integers; for numbers to predict take `mse`"
                if slot.what == "output"
                else "declare it as `float[…]` if it is no id"
            ),
        )
        if dtype == "bool":
            nothing: Callable[[], str | None] = lambda: "give 0 and 1, or false and true"  # noqa: E731
            return [
                Rule(lambda v: (v != 0) & (v != 1), lambda v: f"is {v:g}, and `{slot.name}` is true or false", nothing)
            ]
        return [whole, self._range(dtype)]

    def _range(self, dtype: str) -> Rule:
        slot = self.slot
        if slot.classes is not None:
            classes, ignored = slot.classes, slot.ignored
            return Rule(
                lambda v: ((v < 0) | (v >= classes)) & ((v != ignored) if ignored is not None else np.bool_(True)),
                lambda v: f"is {v:g}, and `{slot.name}` has {classes} classes, 0 to {classes - 1}",
                lambda: self._class_help(classes),
            )
        if slot.ids is not None:
            count, layer, place, _ = slot.ids
            return Rule(
                lambda v: (v < 0) | (v >= count),
                lambda v: f"is {v:g}, and `{layer}` takes ids from 0 to {count - 1:,}",
                lambda: (
                    f"give the Embedding as many ids as there are: `Embedding({int(self.high) + 1}, …)`"
                    if self.high >= count
                    else "ids count from 0"
                ),
                Label(place, f"{count:,} ids"),
            )
        limits = np.iinfo(dtype)
        return Rule(
            lambda v: (v < limits.min) | (v > limits.max),
            lambda v: f"is {v:g}, and {dtype} ends at {limits.max:,}",
            lambda: "declare the input with a wider dtype, such as `int64[…]`",
        )

    def _class_help(self, classes: int) -> str:
        if self.low == 1 and self.high == classes:
            return "the classes count from 1: add `-> offset(-1)`"
        if self.signs and classes == 2:
            return "the classes are -1 and 1: add `-> offset(1) -> scale(0.5)`"
        if self.high is not None and self.high >= classes:
            return f"give the last layer {int(self.high) + 1} units, if there are so many classes"
        return "class ids count from 0"


def _is_categorical(loss: str) -> bool:
    return loss.startswith("categorical") and loss != "categorical_hinge"
