"""The numbers at the end of a run, as a small table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nndsl.runtime.progress import number

if TYPE_CHECKING:
    from nndsl.runtime.tally import Result


def table(result: Result) -> str:
    """Each output with its loss, the weighted loss and its metrics; then what adds up to the whole loss."""
    names = list(dict.fromkeys(name for output in result.outputs for name in output.metrics))
    rows = [["output", "loss", "weight", "weighted loss", *names]]
    for output in result.outputs:
        metrics = [number(output.metrics[name]) if name in output.metrics else "" for name in names]
        rows.append([output.name, number(output.loss), f"{output.weight:g}", number(output.weighted), *metrics])
    penalties = abs(result.penalties) > 1e-6 * max(abs(result.loss), 1)
    if penalties:
        rows.append(["penalties", "", "", number(result.penalties)])
    if penalties or len(result.outputs) > 1:
        rows.append(["total", "", "", number(result.loss)])
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as columns, the first to the left, the others to the right."""
    count = max(map(len, rows))
    full = [[*row, *[""] * (count - len(row))] for row in rows]
    widths = [max(len(row[place]) for row in full) for place in range(count)]
    lines = []
    for row in full:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def mean_and_deviation(results: Sequence[Result]) -> str:
    """The numbers of several runs: each one's, then mean and deviation (of all, as numpy.std)."""
    logs = [result.logs() for result in results]
    rows = [["part", *logs[0]]]
    rows += [[str(place + 1), *map(number, log.values())] for place, log in enumerate(logs)]
    columns = [[log[name] for log in logs] for name in logs[0]]
    rows.append(["mean", *(number(float(np.mean(column))) for column in columns)])
    rows.append(["deviation", *(number(float(np.std(column))) for column in columns)])
    return aligned(rows)
