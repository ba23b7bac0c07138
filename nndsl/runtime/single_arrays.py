"""One NumPy array as a source (.npy): all of it, or columns of its second axis."""

from __future__ import annotations

from nndsl.diagnostics.model import Label
from nndsl.runtime.arrays import open_array
from nndsl.runtime.column_names import Columns, WithColumns
from nndsl.runtime.report import DataProblem
from nndsl.runtime.scratch import Array, picked
from nndsl.source import Span


class SingleArray(WithColumns):
    """One .npy file; `values` [rows, …] is mapped, `map` is the map. Raises DataProblem."""

    names = None

    def __init__(self, path: str, shown: str, span: Span) -> None:
        self.shown = shown
        self.values, self.map = open_array(path, shown, Label(span, "asked for here") if span.file.text else None)
        self.width = self.values.shape[1] if self.values.ndim > 1 else 1

    def take(self, key: Columns, span: Span) -> Array:
        """[rows, …]: a view of the file, or for scattered columns a copy. Raises DataProblem."""
        if key is None:
            return self.values
        if self.values.ndim == 1:
            raise DataProblem(
                "NN0604", f"{self.shown} has one number a row, and no columns", span, help="take it whole, by its name"
            )
        numbers, one = self.numbers(key, span)
        return self.values[:, numbers[0]] if one else picked(self.values, numbers, self.shown)
