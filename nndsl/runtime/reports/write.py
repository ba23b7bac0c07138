"""All that stands in a run folder for people to look at, from the numbers of the run."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nndsl.files import write_bytes, write_text
from nndsl.runtime.report import Unavailable
from nndsl.runtime.reports import figure
from nndsl.runtime.reports.curves import paint_curves, panels
from nndsl.runtime.reports.gathering import Gathering
from nndsl.runtime.reports.html import Page, html
from nndsl.runtime.reports.judged import Array
from nndsl.runtime.reports.matrix import drawable, paint_matrix
from nndsl.runtime.reports.predictions import paint_predictions
from nndsl.runtime.reports.scatter import paint_scatter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_LONGEST = 100
_MAP_OF_CURVES = "curves-map"  # of a submodel that is called so, whose file would be that of the curves


def write_reports(
    folder: str,
    title: str,
    history: Sequence[Mapping[str, float]],
    judged: Sequence[Gathering],
    scatters: Mapping[str, tuple[Array, Array | None]],
    summary: Mapping[str, Any],
    classes: Mapping[str, Sequence[str]] | None = None,
    note: Callable[[str], None] | None = None,
) -> list[str]:
    """Writes `curves`, `confusion-OUTPUT` or `predictions-OUTPUT` and a map for each of `scatters` as PNG and SVG, and
    `report.html`; gives the names of the files.

    `history` is as in history.csv, `judged` each output with a loss on held-out data, `scatters` the two numbers of
    each sample, [samples, 2], of a submodel by its name, and a label for each or None; `classes` are names of classes
    by the name of a scatter. `summary` is what stands in run.json, with `results` (`metrics.metrics_of`) and `command`
    (the words of the command line) where they are known. Without matplotlib no picture is drawn, which `note` and the
    page say. Raises nndsl.files.CannotWrite, and ValueError for an output or submodel whose name is none.
    """
    confusions = {each.output: each.confusion for each in judged if each.confusion is not None}
    columns = {each.output: each.columns for each in judged if each.columns is not None}
    paints: dict[str, tuple[str, Callable[[], Figure]]] = {}
    if panels(history):
        paints["curves"] = f"Loss and metrics of {title}", paint_curves(history, title)
    for output, confusion in confusions.items():
        if drawable(confusion):
            paints[f"confusion-{output}"] = f"Confusion matrix of {output}", paint_matrix(confusion, output)
    for output, found in columns.items():
        paints[f"predictions-{output}"] = f"Predictions of {output}", paint_predictions(found)
    maps = {name: _MAP_OF_CURVES if name == "curves" else name for name in scatters}
    for name, (points, labels) in scatters.items():
        if len(points):
            paint = paint_scatter(name, points, labels, (classes or {}).get(name))
            paints[maps[name]] = f"The two units of {name}", paint
    stems = {name: stem_of(name) for name in paints}
    notes, pictures, written = [], {}, []
    try:
        if paints:
            figure.available()
        for name, (about, paint) in paints.items():
            drawn = figure.draw(stems[name], about, paint)
            pictures[name] = drawn["svg"].decode("utf-8")
            for ending, data in drawn.items():
                write_bytes(os.path.join(folder, f"{stems[name]}.{ending}"), data)
                written.append(f"{stems[name]}.{ending}")
    except Unavailable as missing:
        notes.append(f"{missing}; {missing.help}")
        if note is not None:
            note(notes[-1])
    page = Page(folder, title, history, summary, confusions, columns, list(maps.values()), pictures, notes)
    write_text(os.path.join(folder, "report.html"), html(page))
    return [*written, "report.html"]


def stem_of(name: str) -> str:
    """The name of a picture's file without its ending. Names of outputs and submodels have been checked when the
    program was compiled; what is none never becomes part of a path. Raises ValueError."""
    kind, dash, own = name.rpartition("-")
    known = name == _MAP_OF_CURVES or kind in ("confusion", "predictions") or not dash
    if not known or _IDENTIFIER.match(own) is None:
        raise ValueError(f"{name!r} is no name of an output or submodel")
    if len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
