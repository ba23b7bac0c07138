"""The confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nndsl.runtime.reports import figure
from nndsl.runtime.reports.confusion import Confusion, share
from nndsl.runtime.reports.judged import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_NUMBERS = 30
"""With more classes the cells have no numbers, they would be too small to read."""
_MOST_TICKS = 50
_LONGEST = 22  # characters of a name
_EMPTY = "#e9ecef"


def drawable(confusion: Confusion) -> bool:
    """Whether there is a picture of it: some decisions, and no more classes than a matrix can show."""
    return confusion.samples > 0 and (confusion.labels or confusion.matrix is not None)


def paint_matrix(confusion: Confusion, output: str) -> Callable[[], Figure]:
    """For `figure.draw`. Rows are true classes, the color of a cell is its share of the row; counts stand in it. The
    row of a class that was never there is grey."""

    def paint() -> Figure:
        if confusion.labels:
            return _paint_labels(confusion, output)
        assert confusion.matrix is not None
        counts, classes = confusion.matrix, len(confusion.names)
        names = 0.07 * min(max(map(len, confusion.names)), _LONGEST)
        side = min(max(0.52 * classes + 1.5, 3.6), 12.0)
        made = figure.new(max(side + names + 1.3, 5.2), side + 0.7 * names + 0.3)
        axes = made.add_subplot()
        colored = _cells(axes, share(counts, confusion.support[:, None]), counts, classes <= MOST_NUMBERS)
        _ticks(axes, "x", confusion.names)
        _ticks(axes, "y", confusion.names)
        axes.set_xlabel("Predicted class", labelpad=8)
        axes.set_ylabel("True class", labelpad=8)
        axes.set_aspect("equal")
        _head(made, confusion, output)
        _bar(made, axes, colored, "Share of the true class")
        return made

    return paint


def _paint_labels(confusion: Confusion, output: str) -> Figure:
    """Each label a row: of where it is there, how often it was found; of where it is not, how often it was claimed."""
    support, right = confusion.support, confusion.right
    absent, claimed = confusion.samples - support, confusion.claimed - right
    counts = np.stack([right, support - right, claimed, absent - claimed], axis=1)
    wholes = np.stack([support, support, absent, absent], axis=1)
    labels = len(confusion.names)
    made = figure.new(7.2, min(max(0.42 * labels + 1.9, 3.2), 14.0))
    axes = made.add_subplot()
    colored = _cells(axes, share(counts, wholes), counts, labels <= MOST_NUMBERS)
    _ticks(axes, "y", confusion.names)
    axes.set_xticks(np.arange(4), ["there,\nfound", "there,\nmissed", "not there,\nclaimed", "not there,\nleft out"])
    axes.axvline(1.5, color="white", linewidth=5)
    axes.set_ylabel("Label", labelpad=8)
    _head(made, confusion, output)
    _bar(made, axes, colored, "Share of where it is there, or is not")
    return made


def _bar(made: Figure, axes: Axes, colored: Any, label: str) -> None:
    """What the colors mean."""
    bar = made.colorbar(colored, ax=axes, fraction=0.045, pad=0.03, format=lambda value, _: f"{value:.0%}")
    bar.set_label(label)
    bar.outline.set_visible(False)


def _head(made: Figure, confusion: Confusion, output: str) -> None:
    what = "answers" if confusion.labels else "decisions"
    many = confusion.samples * (len(confusion.names) if confusion.labels else 1)
    title = f"{figure.short(output, 28)}: {confusion.accuracy:.1%} of {many:,} {what} right"
    made.suptitle(title, x=0.02, ha="left", fontsize=12, fontweight="bold")


def _cells(axes: Axes, shares: Array, counts: Array, numbered: bool) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    blues = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#c6dbef", "#6baed6", "#2171b5", "#08306b"])
    colors = blues.with_extremes(bad=_EMPTY)
    rows, columns = shares.shape
    edges = np.arange(-0.5, max(rows, columns))
    if numbered:  # as shapes, sharp at any size
        colored: Any = axes.pcolormesh(
            edges[: columns + 1], edges[: rows + 1], np.ma.masked_invalid(shares), cmap=colors, vmin=0, vmax=1,
            edgecolors=figure.GRID, linewidth=0.6,
        )  # fmt: skip
    else:
        colored = axes.imshow(
            np.ma.masked_invalid(shares), cmap=colors, vmin=0, vmax=1, interpolation="nearest", aspect="auto"
        )
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(not numbered)
    if numbered:
        longest = max(len(f"{count:,}") for count in counts.flat)
        size = min(10.0, 46 / max(longest, 1))
        for (row, column), count in np.ndenumerate(counts):
            if count:
                ink = "white" if shares[row, column] > 0.5 else figure.INK
                text = axes.text(column, row, f"{count:,}", ha="center", va="center", color=ink, fontsize=size)
                text.set_in_layout(False)  # it lies inside of its cell; the layout need not look at each
    return colored


def _ticks(axes: Axes, which: str, names: list[str]) -> None:
    """The names of classes; of many, every so-manyth."""
    step = -(-len(names) // _MOST_TICKS)
    at = np.arange(0, len(names), step)
    texts = [figure.short(names[place], _LONGEST) for place in at]
    axis = getattr(axes, f"{which}axis")
    axis.set_ticks(at, texts, fontsize=9 if len(at) > 12 else 10)
    if which == "x" and max(map(len, texts)) > 3:
        for label in axis.get_ticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
