"""Regression on held-out data as pictures: predicted against true, and what is left between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from nndsl.runtime.reports import figure
from nndsl.runtime.reports.judged import Array
from nndsl.runtime.reports.regression import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 5000
_DASHES = (0, (5, 3))


def thinned(count: int, most: int) -> Array:
    """Which of `count` points are drawn: all, or `most` of them, chosen by a fixed seed, in their order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def paint_predictions(columns: list[Column]) -> Callable[[], Figure]:
    """For `figure.draw`. Each column is a row of two: the cloud with the line where both are equal, and the
    histogram of the residuals."""

    def paint() -> Figure:
        made = figure.new(9.6, 4.3 * len(columns))
        for row, column in enumerate(columns):
            _cloud(made.add_subplot(len(columns), 2, 2 * row + 1), column)
            _histogram(made.add_subplot(len(columns), 2, 2 * row + 2), column)
        return made

    return paint


def _cloud(axes: Axes, column: Column) -> None:
    chosen = thinned(len(column.truth), MOST_POINTS)
    truth, guess = column.truth[chosen], column.guess[chosen]
    if truth.size:
        low, high = float(min(truth.min(), guess.min())), float(max(truth.max(), guess.max()))
        room = (high - low) * 0.04 or max(abs(high) * 0.04, 1e-12)
        ends = (low - room, high + room)
        axes.plot(ends, ends, color=figure.INK, linewidth=1.1, linestyle=_DASHES, label="predicted = true", zorder=1)
        few = len(truth) <= 300
        axes.scatter(
            truth, guess, s=22 if few else 9, color=figure.BLUE, alpha=0.7 if few else 0.35, linewidths=0,
            rasterized=len(truth) > figure.AS_SHAPES, zorder=2,
        )  # fmt: skip
        axes.set_xlim(*ends)
        axes.set_ylim(*ends)
        axes.legend(loc="upper left", fontsize=9)
    axes.set_aspect("equal", adjustable="box")
    axes.grid(True)
    for which in "xy":
        figure.plain(axes, which)
    axes.set_xlabel("True")
    axes.set_ylabel("Predicted")
    axes.set_title(figure.short(column.name, 38))
    notes = list(_notes(column, len(chosen)))
    axes.text(
        0.97, 0.03, "\n".join(notes), transform=axes.transAxes, ha="right", va="bottom", fontsize=9,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2},
    )  # fmt: skip


def _notes(column: Column, drawn: int) -> Iterator[str]:
    if np.isfinite(column.r2):
        yield f"R² {column.r2:.3f}"
    yield f"mean absolute error {figure.number(column.mae)}"
    if drawn < column.sums.count:
        yield f"{drawn:,} of {column.sums.count:,} points"
    if column.left_out:
        yield f"{column.left_out:,} without a finite number left out"


def _histogram(axes: Axes, column: Column) -> None:
    residuals = column.residuals
    axes.axvline(0, color=figure.INK, linewidth=1.1, linestyle=_DASHES, zorder=3)
    if residuals.size:
        bins = min(max(int(np.sqrt(residuals.size)), 8), 60)
        spread = float(residuals.max() - residuals.min())
        middle = column.bias
        around = None if spread > 1e-12 * max(abs(middle), 1e-300) else (middle - 0.5, middle + 0.5)
        axes.hist(residuals, bins=bins, range=around, color=figure.BLUE, alpha=0.85, edgecolor="white", linewidth=0.5)
        axes.axvline(middle, color=figure.ORANGE, linewidth=1.6, label=f"mean {figure.number(middle)}")
        axes.legend(fontsize=9)
    figure.plain(axes, "x")
    figure.plain(axes, "y")
    axes.grid(True, axis="y")
    axes.set_xlabel("Predicted − true")
    axes.set_ylabel("Count" if column.stride == 1 else f"Count, one in {column.stride:,}")
    axes.set_title("Residuals")
