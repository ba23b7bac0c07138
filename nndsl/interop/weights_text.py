"""What `nndsl weights show` and `diff` print: tables for people, the same as data for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nndsl.interop.contents import Array, Item, apart
from nndsl.views.summary_text import in_bytes

_WIDEST = 200
"""Characters of a column: one long name does not make all lines long."""


@dataclass(frozen=True)
class Row:
    """One array, with what its numbers are like; None where there are none to say it of."""

    name: str
    shape: list[int]
    dtype: str
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    nan: int


def row_of(name: str, item: Item) -> Row:
    array = item.load()
    values = array.astype("float64").reshape(-1)
    finite = values[np.isfinite(values)]
    mean = std = least = most = None
    if finite.size:
        mean, std, least, most = (float(number) for number in (finite.mean(), finite.std(), finite.min(), finite.max()))
    return Row(name, list(item.shape), item.dtype, mean, std, least, most, int(values.size - finite.size))


def shown(title: str, weights: list[Row], state: list[Row], *, form: str) -> str:
    """The contents of a file: its weights, and below them the state of an optimizer."""
    count = sum(math.prod(row.shape) for row in weights)
    size = sum(math.prod(row.shape) * _width(row.dtype) for row in [*weights, *state])
    if form == "json":
        data = {"weights": [asdict(row) for row in weights], "optimizer": [asdict(row) for row in state]}
        return json.dumps({"file": title, "parameters": count, "bytes": size} | data, indent=2) + "\n"
    parts = [f"{title}\n"]
    for name, rows in (("Weight", weights), ("Optimizer", state)):
        if rows:
            head = [name, "Shape", "Type", "Mean", "Deviation", "Least", "Greatest"]
            odd = any(row.nan for row in rows)
            parts.append(_table([*head, "Not finite"] if odd else head, [_cells(row, odd=odd) for row in rows]))
    parts.append(f"{count:,} numbers in {len(weights)} weights; {in_bytes(size)} in all\n")
    return "\n".join(parts)


@dataclass(frozen=True)
class Difference:
    """One array of two files. `kind`: equal, different, shape (or type), first or second (it is in that file alone)."""

    name: str
    kind: str
    absolute: float = 0.0
    relative: float = 0.0
    note: str = ""


def differences(first: Mapping[str, Item], second: Mapping[str, Item], tolerance: float) -> Iterator[Difference]:
    """Each array of either file. Equal are values that differ by at most `tolerance`; not-a-number equals itself."""
    for name in [*first, *(name for name in second if name not in first)]:
        if name not in second:
            yield Difference(name, "first", note="only in the first file")
        elif name not in first:
            yield Difference(name, "second", note="only in the second file")
        elif first[name].shape != second[name].shape:
            note = f"{list(first[name].shape)} and {list(second[name].shape)}"
            yield Difference(name, "shape", note=note)
        else:
            yield _compared(name, first[name].load(), second[name].load(), tolerance)


def _compared(name: str, a: Array, b: Array, tolerance: float) -> Difference:
    note = "" if a.dtype == b.dtype else f"{a.dtype} and {b.dtype}"
    a, b = a.astype("float64"), b.astype("float64")
    gap = apart(a, b)
    with np.errstate(all="ignore"):
        share = np.where(gap == 0, 0.0, gap / np.maximum(np.abs(a), np.abs(b)))
    absolute = float(gap.max(initial=0.0))
    relative = math.inf if np.isnan(share).any() else float(share.max(initial=0.0))
    return Difference(name, "equal" if absolute <= tolerance else "different", absolute, relative, note)


def compared(titles: tuple[str, str], found: list[Difference], *, form: str) -> str:
    """What differs, and a last line that counts."""
    unequal = [item for item in found if item.kind != "equal"]
    worst = max((item.absolute for item in found), default=0.0)
    if form == "json":
        data = {"files": titles, "equal": not unequal, "weights": [_plain(item) for item in found]}
        return json.dumps(data, indent=2) + "\n"
    text = ""
    if unequal:
        cells = [
            [item.name, *((_number(item.absolute), _number(item.relative)) if item.kind == "different" else ("", "")),
             item.note]
            for item in unequal
        ]  # fmt: skip
        notes = any(item.note for item in unequal)
        head = ["Weight", "Absolute", "Relative", *(["Note"] if notes else [])]
        text = _table(head, [row if notes else row[:3] for row in cells]) + "\n"
        return f"{text}{len(unequal)} of {len(found)} differ\n"
    within = f", within {_number(worst)}" if worst else ""
    return f"{len(found)} equal{within}\n"


def _plain(item: Difference) -> dict[str, Any]:
    """As JSON takes it, which knows no infinity."""
    data = asdict(item)
    return data | {key: None for key in ("absolute", "relative") if not math.isfinite(data[key])}


def _cells(row: Row, *, odd: bool) -> list[str]:
    numbers = [_number(value) for value in (row.mean, row.std, row.min, row.max)]
    return [row.name, str(row.shape), row.dtype, *numbers, *([f"{row.nan:,}" if row.nan else ""] if odd else [])]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value == int(value) and abs(value) < 1e6 if math.isfinite(value) else False:
        return f"{int(value)}"
    return f"{value:.4g}"


def _width(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def _table(head: list[str], rows: list[list[str]]) -> str:
    """Columns under a rule; numbers to the right."""
    left = {0, 1, 2} if head[1] == "Shape" else {0, 3}
    widths = [max(min(len(line[place]), _WIDEST) for line in [head, *rows]) for place in range(len(head))]

    def line(cells: list[str]) -> str:
        parts = (c.ljust(w) if p in left else c.rjust(w) for p, (c, w) in enumerate(zip(cells, widths, strict=True)))
        return "  ".join(parts).rstrip() + "\n"

    return line(head) + "-" * (sum(widths) + 2 * len(widths) - 2) + "\n" + "".join(map(line, rows))
