"""NumPy arrays in files of their own (.npy), mapped and not read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndsl.runtime.columns import Columns, WithColumns
from nndsl.runtime.report import DataProblem, file_span
from nndsl.runtime.scratch import Array, room
from nndsl.runtime.tables import unreadable
from nndsl.source import Span

CHUNK = 64 * 2**20
"""Bytes that are read at a time."""


class SingleArray(WithColumns):
    """One .npy file, `values` [rows, …] is mapped. Raises DataProblem."""

    names = None

    def __init__(self, path: str, shown: str) -> None:
        self.shown = shown
        try:
            with open(path, "rb") as stream:
                head = stream.read(6)
            if head != b"\x93NUMPY":
                raise ValueError("not an array")
            self.values: Array = np.load(path, mmap_mode="r", allow_pickle=False)
        except OSError as error:
            raise unreadable(shown, error) from None
        except (ValueError, TypeError, EOFError, SyntaxError, OverflowError, MemoryError, RecursionError) as error:
            if "Python objects" in str(error):
                message = f"{shown} holds Python objects, which are never loaded: they could run code"
                help = "save numbers: `numpy.save(file, x.astype(float))`"
            elif head == b"\x93NUMPY":
                message, help = f"{shown} is damaged", "write the file anew, or fetch it again"
            else:
                message = f"{shown} is not an .npy file"
                help = "`numpy.save(file, array)` writes one" + (
                    "; this is an archive, which `npz` reads" if head[:2] == b"PK" else ""
                )
            raise DataProblem("NN0607", message, file_span(shown), help=help) from None
        self._check()
        self.width = self.values.shape[1] if self.values.ndim > 1 else 1

    def _check(self) -> None:
        values, shown = self.values, self.shown
        if values.dtype.kind not in "biufU":
            raise DataProblem("NN0605", f"{shown} holds no numbers, but {values.dtype}", file_span(shown))
        if values.ndim == 0:
            raise DataProblem("NN0605", f"{shown} is a single number, not a row for each sample", file_span(shown))
        if 0 in values.shape:
            raise DataProblem(
                "NN0605", f"{shown} has no number in it: its shape is {list(values.shape)}", file_span(shown)
            )

    def take(self, key: Columns, span: Span) -> Array:
        """All of it, or columns of the second axis: a view of the file, or a copy for a list of columns."""
        if self.values.dtype.kind == "U":
            raise DataProblem(
                "NN0605", f"{self.shown} holds words", span,
                help="make class ids of them with `-> classes()`, or word ids with `-> tokens(…)`",
            )  # fmt: skip
        return self._columns(key, span)

    def _columns(self, key: Columns, span: Span) -> Array:
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
        result = room((len(self.values), len(numbers), *self.values.shape[2:]), self.values.dtype, self.shown)
        for part in _parts(self.values):
            result[part] = self.values[part][:, numbers]
        return result

    def text(self, key: Columns, span: Span) -> Array:
        """[rows] of StringDType. Raises DataProblem."""
        values = self._columns(key, span)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1:
            raise DataProblem("NN0605", f"text is one column, and {self.shown} has {values.shape[1]}", span)
        return values.astype(np.dtypes.StringDType())


def _parts(values: Array) -> Iterator[slice]:
    rows = max(CHUNK // max(values[:1].nbytes, 1), 1)
    for first in range(0, len(values), rows):
        yield slice(first, first + rows)
