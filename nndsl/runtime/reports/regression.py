"""How near predicted numbers come to the true ones: errors over all of them, and points to draw."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from nndsl.runtime.reports.judged import Array, Judged

MOST_COLUMNS = 6
"""More columns are shown as one cloud."""
MOST_KEPT = 200_000
"""Points of a column that are kept; of more every second, every fourth, …, so that memory stays bounded."""
_NO_NUMBERS = (
    "ctc", "circle", "cosine_similarity", "hinge", "squared_hinge", "kl_divergence", "categorical_", "sparse_",
)  # fmt: skip


@dataclass(frozen=True)
class Sums:
    """What errors are computed from: the mean and the squares around it of what is true, and sums of the residuals,
    of their sizes and of their squares."""

    count: int = 0
    mean: float = 0.0
    spread: float = 0.0
    residual: float = 0.0
    size: float = 0.0
    square: float = 0.0

    @classmethod
    def of(cls, truth: Array, guess: Array) -> Sums:
        """Of numbers [samples], float64 and finite."""
        if not truth.size:
            return cls()
        with np.errstate(over="ignore", invalid="ignore"):  # infinity is what it is then
            mean, residuals = float(truth.mean()), guess - truth
            spread, square = (float(np.square(values).sum()) for values in (truth - mean, residuals))
            return cls(truth.size, mean, spread, float(residuals.sum()), float(np.abs(residuals).sum()), square)

    def __add__(self, other: Sums) -> Sums:
        """Of both together (Chan's rule for the spread)."""
        count = self.count + other.count
        if not count:
            return self
        gap = other.mean - self.mean
        return Sums(
            count,
            self.mean + gap * (other.count / count),
            self.spread + other.spread + gap * gap * (self.count * other.count / count),
            self.residual + other.residual,
            self.size + other.size,
            self.square + other.square,
        )


@dataclass(frozen=True)
class Column:
    """One number that is predicted. `truth` and `guess` are points where both are finite, all or every `stride`-th of
    them; `sums` are over all of them, and `left_out` counts the others."""

    name: str
    truth: Array
    guess: Array
    left_out: int
    sums: Sums
    stride: int = 1

    @property
    def residuals(self) -> Array:
        """Predicted less true, of the points."""
        return self.guess - self.truth

    @property
    def mae(self) -> float:
        return self._mean(self.sums.size)

    @property
    def rmse(self) -> float:
        return math.sqrt(self._mean(self.sums.square))

    @property
    def bias(self) -> float:
        """The mean residual."""
        return self._mean(self.sums.residual)

    @property
    def r2(self) -> float:
        """The share of the variance that is explained; nan where the truth does not vary."""
        spread = self.sums.spread
        return 1 - self.sums.square / spread if 0 < spread < math.inf else math.nan

    def _mean(self, total: float) -> float:
        return total / self.sums.count if self.sums.count else math.nan

    def joined(self, more: Column) -> Column:
        """With the points of more rows of the same column, of which none is left out yet (`stride` 1)."""
        first = -self.sums.count % self.stride
        sides = [np.concatenate([own, new[first :: self.stride]]) for own, new in
                 ((self.truth, more.truth), (self.guess, more.guess))]  # fmt: skip
        found = replace(self, truth=sides[0], guess=sides[1], left_out=self.left_out + more.left_out,
                        sums=self.sums + more.sums)  # fmt: skip
        return found.bounded()

    def bounded(self) -> Column:
        found = self
        while len(found.truth) > MOST_KEPT:
            found = replace(found, truth=found.truth[::2], guess=found.guess[::2], stride=2 * found.stride)
        return found


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
    titles = judged.classes
    if titles is None or len(titles) != width:
        titles = [judged.output] if width == 1 else [f"{judged.output}[{place}]" for place in range(width)]
    return [_column(title, truth[:, place], guess[:, place]) for place, title in enumerate(titles)]


def _column(name: str, truth: Array, guess: Array) -> Column:
    finite = np.isfinite(truth) & np.isfinite(guess)
    truth, guess = truth[finite], guess[finite]
    return Column(name, truth, guess, int((~finite).sum()), Sums.of(truth, guess))
