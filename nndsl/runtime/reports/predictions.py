"""Regression on held-out data: predicted against true, and what is left between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nndsl.runtime.reports import figure
from nndsl.runtime.reports.judged import Array, Judged

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COLUMNS = 6
"""More columns are shown as one cloud."""
MOST_POINTS = 5000
_NO_NUMBERS = (
    "ctc",
    "circle",
    "cosine_similarity",
    "hinge",
    "squared_hinge",
    "kl_divergence",
    "categorical_",
    "sparse_",
)

_DASHES = (0, (5, 3))


@dataclass(frozen=True)
class Column:
    """One number that is predicted: both sides [samples], where both are finite. `left_out` counts the others."""

    name: str
    truth: Array
    guess: Array
    left_out: int

    @property
    def residuals(self) -> Array:
        """Predicted less true."""
        return self.guess - self.truth

    @property
    def mae(self) -> float:
        return float(np.abs(self.residuals).mean()) if self.truth.size else float("nan")

    @property
    def rmse(self) -> float:
        with np.errstate(over="ignore"):  # infinity is what it is then
            return float(np.sqrt(np.square(self.residuals).mean())) if self.truth.size else float("nan")

    @property
    def bias(self) -> float:
        """The mean residual."""
        return float(self.residuals.mean()) if self.truth.size else float("nan")

    @property
    def r2(self) -> float:
        """The share of the variance that is explained; nan where the truth does not vary."""
        with np.errstate(over="ignore"):
            spread = float(np.square(self.truth - self.truth.mean()).sum()) if self.truth.size else 0.0
            return 1 - float(np.square(self.residuals).sum()) / spread if spread > 0 else float("nan")


def columns_of(judged: Judged) -> list[Column] | None:
    """The columns of the last axis (all in one where there are more than `MOST_COLUMNS`), with samples and steps in a
    row; None where the loss does not compare numbers, or the shapes differ."""
    if judged.loss.startswith(_NO_NUMBERS) or judged.prediction.size != judged.target.size or not judged.target.size:
        return None
    width = judged.prediction.shape[-1] if judged.prediction.ndim > 1 else 1
    guess = judged.prediction.reshape(-1, width).astype(np.float64)
    truth = judged.target.reshape(-1, width).astype(np.float64)
    if judged.mask is not None and judged.mask.size == len(truth):
        keep = judged.mask.reshape(-1).astype(bool)
        guess, truth = guess[keep], truth[keep]
    if width > MOST_COLUMNS:
        return [_column(f"{judged.output}, all {width:,} numbers", truth.reshape(-1), guess.reshape(-1))]
    named = judged.classes is not None and len(judged.classes) == width
    titles = judged.classes if named and judged.classes else [f"{judged.output}[{place}]" for place in range(width)]
    if width == 1 and not named:
        titles = [judged.output]
    return [_column(title, truth[:, place], guess[:, place]) for place, title in enumerate(titles)]


def _column(name: str, truth: Array, guess: Array) -> Column:
    finite = np.isfinite(truth) & np.isfinite(guess)
    return Column(name, truth[finite], guess[finite], int((~finite).sum()))


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
    if drawn < len(column.truth):
        yield f"{drawn:,} of {len(column.truth):,} points"
    if column.left_out:
        yield f"{column.left_out:,} without a finite number left out"


def _histogram(axes: Axes, column: Column) -> None:
    residuals = column.residuals
    axes.axvline(0, color=figure.INK, linewidth=1.1, linestyle=_DASHES, zorder=3)
    if residuals.size:
        bins = min(max(int(np.sqrt(residuals.size)), 8), 60)
        spread = float(residuals.max() - residuals.min())
        middle = float(residuals.mean())
        around = None if spread > 1e-12 * max(abs(middle), 1e-300) else (middle - 0.5, middle + 0.5)
        axes.hist(residuals, bins=bins, range=around, color=figure.BLUE, alpha=0.85, edgecolor="white", linewidth=0.5)
        axes.axvline(middle, color=figure.ORANGE, linewidth=1.6, label=f"mean {figure.number(middle)}")
        axes.legend(fontsize=9)
    figure.plain(axes, "x")
    figure.plain(axes, "y")
    axes.grid(True, axis="y")
    axes.set_xlabel("Predicted − true")
    axes.set_ylabel("Samples")
    axes.set_title("Residuals")
