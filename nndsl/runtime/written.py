"""Predictions as files: tables (.csv, .parquet) with a column for each number, or arrays (.npz)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from nndsl.runtime.engine import Array
from nndsl.runtime.report import Unavailable
from nndsl.runtime.reports.history import csv_lines

WIDEST = 10_000
"""Columns of a table."""


def joined(parts: Iterable[Mapping[str, Array]]) -> dict[str, Array]:
    """The batches one behind the other."""
    found = list(parts)
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]} if found else {}


def packed(
    arrays: Mapping[str, Array], ending: str, classes: Mapping[str, Sequence[str]], middles: Mapping[str, float]
) -> bytes:
    """The file as bytes. `classes` are the names of classes by output, where they have any; `middles` are the numbers
    above which the one number of an output stands for the second of two classes. Raises Unavailable."""
    stream = io.BytesIO()
    if ending == ".npz":
        with zipfile.ZipFile(stream, "w") as archive:  # `np.savez` has parameters of its own, `file` for instance
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        return stream.getvalue()
    columns: dict[str, Array] = {}
    for name, column in _columns(arrays, classes, middles):
        if name in columns:
            raise Unavailable(f"two columns would be called `{name}`", "write arrays instead: -o FILE.npz")
        columns[name] = column
    if ending == ".csv":
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        return "".join(csv_lines([columns, *rows])).encode()
    try:
        import pyarrow as pa
        import pyarrow.parquet as parquet
    except ImportError:
        raise Unavailable(
            "writing .parquet takes pyarrow, which is not installed", "install it: pip install 'nndsl[data]'"
        ) from None
    parquet.write_table(pa.table({name: pa.array(column) for name, column in columns.items()}), stream)
    return stream.getvalue()


def _columns(
    arrays: Mapping[str, Array], classes: Mapping[str, Sequence[str]], middles: Mapping[str, float]
) -> Iterable[tuple[str, Array]]:
    """A column `label` with the likeliest class, where classes have names; `label_0`, … for several numbers, and for
    one behind such a column."""
    for name, array in arrays.items():
        sizes = array.shape[1:]
        if int(np.prod(sizes)) > WIDEST:
            raise Unavailable(
                f"`{name}` has {int(np.prod(sizes)):,} numbers a row, too many columns for a table",
                "write arrays instead: -o FILE.npz",
            )
        names = classes.get(name)
        if names and len(sizes) == 1 and sizes[0] == len(names):
            yield name, np.asarray(names)[array.argmax(-1)]
        elif names and len(names) == 2 and sizes in ((), (1,)) and name in middles:
            numbers = array.reshape(len(array))
            yield name, np.asarray(names)[(numbers > middles[name]).astype(int)]
            yield f"{name}_0", numbers
            continue
        if not sizes or sizes == (1,):
            yield name, array.reshape(len(array))
            continue
        for place in product(*map(range, sizes)):
            index: tuple[Any, ...] = (slice(None), *place)
            yield "_".join([name, *map(str, place)]), array[index]
