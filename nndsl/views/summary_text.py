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
    totals = totals_of(summary)
    widest = max(len(name) for name, _ in totals) + 1
    lines += ["", *(f"{name + ':':<{widest}}  {text}" for name, text in totals)]
    if summary.outputs:
        lines += ["", *table(outputs_of(summary), width)]
    for remarks in remarks_of(summary):
        lines += ["", *remarks]
    return "\n".join(lines) + "\n"


def outputs_of(summary: Summary) -> list[Column]:
    """The table of the outputs; that of their metrics is left out where there are none."""
    outputs = summary.outputs
    columns = [
        Column("Output", [output.name for output in outputs]),
        Column("Layer", [output.value for output in outputs]),
        Column("Type", [str(output.type) for output in outputs]),
        Column("Loss", [output.loss or "none" for output in outputs]),
        Column("Weight", [f"{output.weight:g}" if output.loss else "" for output in outputs], number=True),
    ]
    if any(output.metrics for output in outputs):
        columns.append(Column("Metrics", [", ".join(output.metrics) for output in outputs]))
    return columns


def remarks_of(summary: Summary) -> list[list[str]]:
    """What stands below the tables: submodels, and what free sizes must satisfy."""
    found = [[f"submodel {text}" for text in summary.submodels]]
    if summary.facts:
        found.append([f"Sizes must satisfy: {', '.join(summary.facts)}"])
    return [lines for lines in found if lines]


def _layers(rows: Sequence[Row], width: int | None) -> list[Column]:
    columns = layers_of(rows)
    if over(columns, width) > 0:  # most inputs are the row above: their names can be spared
        inputs = columns[2].cells
        for number in range(1, len(rows)):
            if inputs[number] == columns[0].cells[number - 1]:
                inputs[number] = "(above)"
    return columns


def layers_of(rows: Sequence[Row]) -> list[Column]:
    """The table of the layers, a row for each call."""
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


def totals_of(summary: Summary) -> list[tuple[str, str]]:
    """The numbers of the whole model, each with its name; an indented name is a part of the one above."""
    total = summary.trainable + summary.frozen
    rows = [("Parameters", f"{total:,} ({in_bytes(summary.size)}, {summary.float_dtype})")]
    if summary.frozen:
        rows += [("  trainable", f"{summary.trainable:,}"), ("  not trainable", f"{summary.frozen:,}")]
    rows.append(("Multiply-adds", f"{count_text(summary.multiply_adds)} for one sample"))
    return rows


def in_bytes(size: int) -> str:
    """A number of bytes in words: "39.0 KiB"."""
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
