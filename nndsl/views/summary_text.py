"""A summary as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.diagnostics.terminal import visible
from nndsl.ir.dims import Dim
from nndsl.ir.types import show_shape
from nndsl.views.summary import Row, Summary
from nndsl.views.table import Column, over, table


def summary_text(summary: Summary, *, width: int | None = None) -> str:
    """The table and the totals. `width` is that of the terminal: cells that do not fit go on in the next line."""
    lines = [f"{summary.model} ({visible(summary.file)})", ""]
    lines += table(_layers(summary.rows, width), width)
    lines += ["", *_totals(summary)]
    if summary.outputs:
        rows = [
            Column("Output", [output.name for output in summary.outputs]),
            Column("Layer", [output.value for output in summary.outputs]),
            Column("Type", [str(output.type) for output in summary.outputs]),
            Column("Loss", [output.loss or "none" for output in summary.outputs]),
            Column("Weight", [f"{output.weight:g}" if output.loss else "" for output in summary.outputs], number=True),
        ]
        if any(output.metrics for output in summary.outputs):
            rows.append(Column("Metrics", [", ".join(output.metrics) for output in summary.outputs]))
        lines += ["", *table(rows, width)]
    if summary.submodels:
        lines += ["", *(f"submodel {text}" for text in summary.submodels)]
    if summary.facts:
        lines += ["", f"Sizes must satisfy: {', '.join(summary.facts)}"]
    return "\n".join(lines) + "\n"


def _layers(rows: Sequence[Row], width: int | None) -> list[Column]:
    columns = _columns(rows)
    if over(columns, width) > 0:  # most inputs are the row above: their names can be spared
        inputs = columns[2].cells
        for number in range(1, len(rows)):
            if inputs[number] == columns[0].cells[number - 1]:
                inputs[number] = "(above)"
    return columns


def _columns(rows: Sequence[Row]) -> list[Column]:
    return [
        Column("Layer", [f"{row.name} (call {row.call})" if row.calls > 1 else row.name for row in rows]),
        Column("Type", [row.type for row in rows]),
        Column("Inputs", [", ".join(row.inputs) for row in rows]),
        Column("Output", [", ".join(show_shape(type_.shape) for type_ in row.results) for row in rows]),
        Column("Parameters", [_parameters(row) for row in rows], number=True),
        Column("Multiply-adds", [_adds(row) for row in rows]),
    ]


def _parameters(row: Row) -> str:
    if row.type == "Input":
        return ""
    return "shared" if row.call > 1 else f"{row.parameters:,}"


def _adds(row: Row) -> str:
    return "" if row.type == "Input" else count_text(row.multiply_adds)


def count_text(dim: Dim | None) -> str:
    """A number, or a formula of free sizes; None is one that was too large."""
    if dim is None:
        return "(a long formula)"
    return f"{dim:,}" if isinstance(dim, int) else str(dim)


def _totals(summary: Summary) -> list[str]:
    total = summary.trainable + summary.frozen
    rows = [("Parameters", f"{total:,} ({in_bytes(summary.size)}, {summary.float_dtype})")]
    if summary.frozen:
        rows += [("  trainable", f"{summary.trainable:,}"), ("  not trainable", f"{summary.frozen:,}")]
    rows.append(("Multiply-adds", f"{count_text(summary.multiply_adds)} for one sample"))
    widest = max(len(name) for name, _ in rows) + 1
    return [f"{name + ':':<{widest}}  {text}" for name, text in rows]


def in_bytes(size: int) -> str:
    """A number of bytes in words: "39.0 KiB"."""
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
