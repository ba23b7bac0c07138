"""A part of the data: the rows for training, validation or test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.runtime.columns import Column, in_a_row

Array: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = npt.NDArray[np.intp]


class Part:
    """Some rows of prepared and checked data, by the names of inputs, outputs and arrays of weights.

    `rows` are their places in the data they come from; `columns` make the arrays.
    """

    def __init__(self, columns: Mapping[str, Column], rows: Rows) -> None:
        self.columns, self.rows = columns, rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def names(self) -> list[str]:
        return list(self.columns)

    @property
    def resident(self) -> bool:
        """Whether all of it lies in the memory already."""
        return all(column.resident for column in self.columns.values())

    @property
    def nbytes(self) -> int:
        """Bytes of the prepared arrays, also where they do not lie in the memory."""
        return len(self) * sum(column.row_bytes for column in self.columns.values())

    def take(self, places: npt.NDArray[np.integer[Any]] | slice) -> dict[str, Array]:
        """The rows at those places of the part, [places, …] by name, in the dtypes that the model takes (class ids as
        int64, bfloat16 and float16 as float32). Rows that follow one another may come as a view of what is kept: they
        are not to be written to. Raises RunFailed where a file was cut off since."""
        chosen = in_a_row(self.rows[places])
        return {name: column.take(chosen) for name, column in self.columns.items()}
