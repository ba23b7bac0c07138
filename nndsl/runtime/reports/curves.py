"""Loss, metrics and learning rate over the epochs or steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nndsl.layers import catalogue
from nndsl.layers.entry import snake_case
from nndsl.runtime.reports import figure
from nndsl.runtime.reports.judged import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 12
MOST_POINTS = 1500
"""Of a line; of more, the least and the greatest of each stretch are drawn."""
_MARKED = 30
"""A line of this many points shows each of them."""
_DECADES = 2
_NO_CURVES = ("epoch", "step", "seconds")


@dataclass(frozen=True)
class Line:
    """The rows that have a number: which epochs or steps they are, and the number, finite or not."""

    x: Array
    y: Array


@dataclass(frozen=True)
class Panel:
    """One number: while training, and on validation data."""

    name: str
    training: Line | None
    validation: Line | None

    @property
    def values(self) -> Array:
        return np.concatenate([line.y for line in (self.training, self.validation) if line is not None])

    @property
    def title(self) -> str:
        if self.name == "learning_rate":
            return "Learning rate"
        metric = catalogue.find("metric", self.name)
        words = (snake_case(metric.__name__) if metric is not None else self.name).replace("_", " ")
        return words[:1].upper() + words[1:]

    @property
    def spans_decades(self) -> bool:
        """Whether a logarithmic scale shows more: all is above 0, and the greatest over 100 times the least."""
        values = self.values[np.isfinite(self.values)]
        return bool(values.size and values.min() > 0 and values.max() / values.min() > 10**_DECADES)


def unit_of(history: Sequence[Mapping[str, float]]) -> str:
    """What is counted."""
    return "step" if any("step" in row for row in history) else "epoch"


def panels(history: Sequence[Mapping[str, float]]) -> list[Panel]:
    """Loss first, then the losses of outputs, metrics in the order of the logs, the learning rate where it changes."""
    names = list(dict.fromkeys(name.removeprefix("val_") for row in history for name in row if name not in _NO_CURVES))
    names.sort(key=lambda name: (name == "learning_rate", name != "loss", not name.endswith("_loss")))
    found = []
    for name in names:
        panel = Panel(name, _line(history, name), _line(history, f"val_{name}"))
        if name != "learning_rate" or len(set(panel.values[np.isfinite(panel.values)].tolist())) > 1:
            found.append(panel)
    return found


def _line(history: Sequence[Mapping[str, float]], name: str) -> Line | None:
    unit = unit_of(history)
    points = [(float(row.get(unit, number)), float(row[name])) for number, row in enumerate(history, 1) if name in row]
    return Line(*np.array(points).T) if points else None


def paint_curves(history: Sequence[Mapping[str, float]], title: str) -> Callable[[], Figure]:
    """For `figure.draw`."""

    def paint() -> Figure:
        found = panels(history)
        shown = found[:MOST_PANELS]
        columns = 1 if len(shown) == 1 else 2 if len(shown) <= 6 else 3
        rows = math.ceil(len(shown) / columns) or 1
        made = figure.new(*((7.5, 4.4) if columns == 1 else (4.9 * columns, 3.2 * rows + 0.4)))
        made.suptitle(figure.short(title, 90), x=0.015, ha="left", fontsize=13.5, fontweight="bold")
        for place, panel in enumerate(shown):
            _paint(made.add_subplot(rows, columns, place + 1), panel, unit_of(history))
        if len(found) > len(shown):
            made.supxlabel(f"{len(found) - len(shown)} more in history.csv", fontsize=9, color=figure.FAINT)
        return made

    return paint


def _paint(axes: Axes, panel: Panel, unit: str) -> None:
    lines = [("training", panel.training, figure.BLUE, "o"), ("validation", panel.validation, figure.ORANGE, "s")]
    for label, line, color, marker in lines:
        if line is not None:
            marked = marker if len(line.x) <= _MARKED else ""
            axes.plot(*thinned(line.x, line.y, MOST_POINTS), color=color, label=label, marker=marked, markersize=4)
    axes.set_title(figure.short(panel.title))
    axes.set_xlabel(unit.capitalize())
    axes.grid(True)
    if panel.spans_decades:
        figure.logarithmic(axes, "y")
        axes.set_ylabel("logarithmic scale", color=figure.FAINT, fontsize=9)
    else:
        figure.plain(axes, "y")
    _count(axes, np.concatenate([line.x for _, line, _, _ in lines if line is not None]))
    if panel.name == "loss" and panel.validation is not None:
        _mark_best(axes, panel.validation, unit)
    if panel.validation is not None:
        axes.legend(fontsize=9)
    odd = [line.x[~np.isfinite(line.y)] for _, line, _, _ in lines if line is not None]
    _tell_odd(axes, np.unique(np.concatenate(odd)), unit)


def _mark_best(axes: Axes, line: Line, unit: str) -> None:
    finite = np.flatnonzero(np.isfinite(line.y))
    if len(line.y) > 1 and finite.size:
        best = finite[np.argmin(line.y[finite])]
        label = f"best: {figure.number(float(line.y[best]))}, {unit} {int(line.x[best]):,}"
        axes.plot(
            line.x[best], line.y[best], "o", markersize=9, color=figure.ORANGE, markerfacecolor="none", label=label
        )


def _count(axes: Axes, numbers: Array) -> None:
    """Whole numbers at the ticks, from the first to the last."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: figure.tick(value)))
    room = (numbers.max() - numbers.min()) * 0.03 or 0.5
    axes.set_xlim(numbers.min() - room, numbers.max() + room)


def _tell_odd(axes: Axes, numbers: Array, unit: str) -> None:
    """Says where numbers are none: a line that just ends could be a run that just ended."""
    if not numbers.size:
        return
    more = f" and {numbers.size - 1:,} more" if numbers.size > 1 else ""
    axes.text(
        0.02, 0.04, f"no finite number at {unit} {int(numbers[0]):,}{more}", transform=axes.transAxes, fontsize=9,
        color="#9c3a00", bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2},
    )  # fmt: skip
    for place in numbers[:200]:
        axes.axvline(place, color=figure.ORANGE, linewidth=0.8, alpha=0.5, zorder=0)


def thinned(x: Array, y: Array, most: int) -> tuple[Array, Array]:
    """At most about `most` of the points: of each stretch the least and the greatest, in their order, so that no peak
    is lost; where a stretch has none that is finite, its first, so that the gap shows."""
    if len(x) <= most:
        return x, y
    kept = sorted({place for chunk in np.array_split(np.arange(len(x)), most // 2) for place in _ends(y, chunk)})
    return x[kept], y[kept]


def _ends(y: Array, chunk: Array) -> Iterator[int]:
    finite = chunk[np.isfinite(y[chunk])]
    if not finite.size:
        yield int(chunk[0])
        return
    yield int(finite[np.argmin(y[finite])])
    yield int(finite[np.argmax(y[finite])])
