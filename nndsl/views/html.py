"""Problems and summaries as HTML for notebooks. All text is escaped, and what cannot be seen is made visible."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from nndsl.diagnostics.model import Diagnostic
from nndsl.diagnostics.render import problem_rows
from nndsl.diagnostics.terminal import visible
from nndsl.views.summary import Summary
from nndsl.views.summary_text import layers_of, outputs_of, remarks_of, totals_of
from nndsl.views.table import Column

# Of a color each that can be read on white and on black.
_STYLES = {
    "error": "color:#d43a3a;font-weight:bold",
    "warning": "color:#b07700;font-weight:bold",
    "title": "font-weight:bold",
    "gutter": "color:#4d7fc4",
    "related": "color:#4d7fc4",
    "add": "color:#2e8b3d",
    "remove": "color:#d43a3a",
}


def problems_html(problems: Iterable[Diagnostic]) -> str:
    """What `nndsl check` shows of the problems, with its colors; "" where there are none."""
    blocks = []
    for problem in problems:
        rows = ("".join(_piece(role, text) for role, text in row).rstrip() for row in problem_rows(problem))
        blocks.append("\n".join(rows))
    if not blocks:
        return ""
    return '<pre style="line-height:1.3;white-space:pre;overflow-x:auto">' + "\n\n".join(blocks) + "</pre>"


def _piece(role: str, text: str) -> str:
    style = _STYLES.get(role)
    return f'<span style="{style}">{escape(text)}</span>' if style and text.strip() else escape(text)


def summary_html(summary: Summary) -> str:
    """The tables of a summary, its totals and remarks, as `summary_text` has them."""
    parts = [f"<p><b>{_text(summary.model)}</b> ({_text(summary.file)})</p>", _table(layers_of(summary.rows))]
    totals = "".join(
        f'<tr><td style="text-align:left;white-space:pre">{_text(name)}</td>'
        f'<td style="text-align:left">{_text(text)}</td></tr>'
        for name, text in totals_of(summary)
    )
    parts.append(f"<table>{totals}</table>")
    if summary.outputs:
        parts.append(_table(outputs_of(summary)))
    parts += [f"<p>{'<br>'.join(map(_text, lines))}</p>" for lines in remarks_of(summary)]
    return "<div>" + "".join(parts) + "</div>"


def _table(columns: list[Column]) -> str:
    sides = ["right" if column.number else "left" for column in columns]
    head = "".join(
        f'<th style="text-align:{side}">{_text(c.title)}</th>' for c, side in zip(columns, sides, strict=True)
    )
    rows = []
    for cells in zip(*(column.cells for column in columns), strict=True):
        row = "".join(
            f'<td style="text-align:{side}">{_text(cell)}</td>' for cell, side in zip(cells, sides, strict=True)
        )
        rows.append(f"<tr>{row}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _text(text: str) -> str:
    return escape(visible(text))
