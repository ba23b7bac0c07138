"""Room for arrays: in memory while they are small, else in an unlinked file that is mapped."""

from __future__ import annotations

import shutil
import tempfile
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.runtime.report import DataProblem, file_span

Array: TypeAlias = npt.NDArray[Any]

IN_MEMORY = 512 * 2**20
"""Bytes up to which an array is held in memory."""


def room(shape: tuple[int, ...], dtype: npt.DTypeLike, shown: str) -> Array:
    """An array to be filled, of undefined content; `shown` is the data it is for. The file vanishes with the array.
    Raises DataProblem where the disk has no room for it."""
    size = prod(shape) * np.dtype(dtype).itemsize
    if size <= IN_MEMORY:
        return np.empty(shape, dtype)
    folder = tempfile.gettempdir()
    try:
        free = shutil.disk_usage(folder).free
        if size + IN_MEMORY > free:
            raise DataProblem(
                "NN0702",
                f"{shown} needs {size / 2**30:,.1f} GiB of room in {folder}, which has {free / 2**30:,.1f}",
                file_span(shown),
                help="set TMPDIR to a folder on a larger disk",
            )
        with tempfile.TemporaryFile() as stream:
            stream.truncate(size)
            return np.memmap(stream, dtype, "r+", shape=shape)
    except OSError as error:
        raise DataProblem(
            "NN0702", f"{shown} needs {size / 2**30:,.1f} GiB of room in {folder}: {error.strerror or error}",
            file_span(shown), help="set TMPDIR to a folder on a larger disk",
        ) from None  # fmt: skip
