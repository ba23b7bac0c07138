"""The two units of a submodel as a map of the data (the autoencoder lesson)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nndsl.runtime.reports import figure
from nndsl.runtime.reports.judged import Array
from nndsl.runtime.reports.predictions import MOST_POINTS, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CLASSES = 20
"""More classes get a scale of colors in place of a legend."""


def labels_of(labels: Array | None, count: int) -> Array | None:
    """One label for each of `count` points: one-hot rows as class ids; None where the labels are of another form."""
    if labels is None:
        return None
    if labels.ndim == 2 and labels.shape[1] > 1 and len(labels) == count:
        return np.asarray(np.argmax(labels, axis=1))
    return labels.reshape(count) if labels.size == count else None


def paint_scatter(
    name: str, points: Array, labels: Array | None, names: Sequence[str] | None = None
) -> Callable[[], Figure]:
    """For `figure.draw`. `points` is [samples, 2]; `labels` one for each sample, class ids, one-hot rows or numbers;
    `names` those of the classes."""

    def paint() -> Figure:
        found = labels_of(labels, len(points))
        finite = np.isfinite(points).all(axis=1)
        kept = points[finite]
        chosen = thinned(len(kept), MOST_POINTS)
        shown = kept[chosen].astype(np.float64)
        of_shown = None if found is None else found[finite][chosen]
        made = figure.new(7.8, 6.2)
        axes = made.add_subplot()
        ids = None if of_shown is None else _class_ids(of_shown)
        if of_shown is None:
            _dots(axes, shown, figure.BLUE, "o")
        elif ids is not None:
            _classes(axes, shown, of_shown, ids, names)
        else:
            rasterized = len(shown) > figure.AS_SHAPES
            colored = axes.scatter(
                shown[:, 0], shown[:, 1], c=of_shown.astype(np.float64), cmap="viridis", s=_size(len(shown)),
                alpha=0.75, linewidths=0, rasterized=rasterized,
            )  # fmt: skip
            bar = made.colorbar(colored, ax=axes, fraction=0.045, pad=0.03)
            bar.set_label("Label")
        _label(axes, name, len(shown), len(points))
        return made

    return paint


def _class_ids(labels: Array) -> list[int] | None:
    """The classes that there are, where labels are few whole numbers."""
    numbers = labels.astype(np.float64)
    if not np.isfinite(numbers).all() or (numbers != np.round(numbers)).any():
        return None
    ids = np.unique(numbers)
    return [int(number) for number in ids] if ids.size <= MOST_CLASSES else None


def _classes(axes: Axes, points: Array, labels: Array, ids: list[int], names: Sequence[str] | None) -> None:
    """Each class by color and form, and its name in its middle."""
    middles = []
    for place, number in enumerate(ids):
        own = points[labels == number]
        color = figure.CLASS_COLORS[place % len(figure.CLASS_COLORS)]
        marker = figure.MARKERS[place % len(figure.MARKERS)] if place < 10 else figure.MARKERS[(place + 3) % 9]
        known = names is not None and 0 <= number < len(names)
        title = figure.short(names[number] if known and names is not None else str(number), 24)
        _dots(axes, own, color, marker, title, len(points))
        middles.append((np.median(own, axis=0), title, color))
    for middle, title, color in middles:
        axes.text(
            middle[0], middle[1], title, ha="center", va="center", fontsize=11, fontweight="bold", color=color,
            zorder=5, bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": color, "alpha": 0.85},
        )  # fmt: skip
    legend = axes.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, fontsize=10, title="Class", handletextpad=0.3
    )
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set(alpha=1, sizes=[42])


def _dots(axes: Axes, points: Array, color: str, marker: str, title: str = "", count: int | None = None) -> None:
    many = len(points) if count is None else count
    axes.scatter(
        points[:, 0], points[:, 1], s=_size(many), color=color, marker=marker, alpha=0.7, linewidths=0, label=title,
        rasterized=many > figure.AS_SHAPES,
    )  # fmt: skip


def _size(count: int) -> float:
    return 30 if count <= 400 else 18 if count <= 2000 else 9


def _label(axes: Axes, name: str, shown: int, count: int) -> None:
    axes.grid(True)
    for place, which in enumerate("xy"):
        figure.plain(axes, which)
        getattr(axes, f"set_{which}label")(f"Unit {place + 1} of {figure.short(name, 28)}")
    of = f"{shown:,} of {count:,}" if shown < count else f"{count:,}"
    axes.set_title(f"{figure.short(name, 40)}: {of} samples")
