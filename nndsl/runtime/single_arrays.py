"""One NumPy array as a source (.npy): all of it, or columns of its second axis."""

from __future__ import annotations

from nndsl.diagnostics.model import Label
from nndsl.runtime.arrays import open_array
from nndsl.runtime.column_names import Columns, WithColumns
from nndsl.runtime.report import DataProblem
from nndsl.runtime.scratch import Array, Growing
from nndsl.source import Span

CHUNK = 16 * 2**20
"""Bytes that are copied at a time."""


class SingleArray(WithColumns):
    """One .npy file; `values` [rows, …] is mapped, `map` is the map. Raises DataProblem."""

    names = None

    def __init__(self, path: str, shown: str, span: Span) -> None:
        self.shown = shown
        self.values, self.map = open_array(path, shown, Label(span, "asked for here") if span.file.text else None)
        self.width = self.values.shape[1] if self.values.ndim > 1 else 1

    def take(self, key: Columns, span: Span) -> Array:
        """[rows, …]: a view of the file, or for a list of columns a copy. Raises DataProblem."""
        if key is None:
            return self.values
        if self.values.ndim == 1:
            raise DataProblem(
                "NN0604", f"{self.shown} has one number a row, and no columns", span, help="take it whole, by its name"
            )
        numbers, one = self.numbers(key, span)
        if one:
            return self.values[:, numbers[0]]
        if isinstance(key, slice):
            return self.values[:, key]
        chosen = Growing(self.shown)
        rows = max(CHUNK // max(self.values[:1].nbytes, 1), 1)
        for first in range(0, max(len(self.values), 1), rows):
            chosen.add(self.values[first : first + rows][:, numbers])
        return chosen.done()
