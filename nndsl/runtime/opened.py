"""What every open source of data can do."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy.typing as npt

from nndsl.diagnostics.model import Diagnostic
from nndsl.layers.families.transforms import Transform
from nndsl.runtime.column_names import Columns
from nndsl.runtime.report import DataProblem
from nndsl.runtime.slots import Slot
from nndsl.source import Span

Array: TypeAlias = npt.NDArray[Any]


class Opened:
    """An open source. `shown` is what messages call it, `last` how many rows at its end are the official test part,
    `ordered` whether its rows follow one another in time, `names_columns` whether `place` says which column it is."""

    shown = ""
    last = 0
    ordered = False
    names_columns = False

    def take(self, key: Columns, slot: Slot, span: Span) -> Array:
        """The rows of one field or of columns, [rows, …]. Raises DataProblem."""
        raise NotImplementedError

    def text(self, key: Columns, span: Span) -> Array:
        """One column of words, [rows] of StringDType. Raises DataProblem."""
        raise DataProblem("NN0605", f"{self.shown} holds numbers, and no text", span)

    def lists(self, key: Columns, slot: Slot, span: Span) -> Array:
        """Rows whose lengths may differ: [rows] of arrays where they do. Raises DataProblem."""
        return self.take(key, slot, span)

    def place(self, key: Columns, row: int, column: int, span: Span) -> tuple[Span, str]:
        """Where a value stands: the place to underline, and in words. `column` counts within what was taken."""
        return span, f"row {row}"

    def class_names(self, key: Columns) -> list[str]:
        """The names of the classes whose ids the field holds, by id; empty where the data have none."""
        return []

    def labels(self, key: Columns, slot: Slot, span: Span) -> Array | None:
        """The class of each row, where the source has one beside the field: pictures are colored by it."""
        return None

    def first(self, key: Columns) -> tuple[Transform, ...]:
        """What is done to a field before the transforms of its line."""
        return ()

    @property
    def warnings(self) -> list[Diagnostic]:
        """What was suspicious in reading."""
        return []

    def guard(self) -> None:
        """That the files which are read while training goes on are still whole. Raises RunFailed."""
