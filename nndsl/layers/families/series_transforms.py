"""What makes samples of a series, whose rows follow one another in time: windows, earlier and later values.

All of them speak of one time: a sample at row t has the window that ends with row t, the rows before t, the row
`rows` after t. So the lines of a `data` section fit together by themselves; `runtime/series.py` does it.
"""

from __future__ import annotations

from math import prod
from typing import ClassVar

from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.transforms import Transform
from nndsl.layers.kinds import Either, Int, ListOf

MOST = 1_000_000
"""Steps that a window may have at most."""


class SeriesTransform(Transform):
    """Base of the transforms that join rows."""

    joins_rows: ClassVar[bool] = True
    keeps = False


@entry("transform")
class Window(SeriesTransform):
    """Windows of consecutive rows: what a recurrent or convolutional model reads of a series.

    A sample is the `length` rows that end with its own, the oldest first: rows of 6 columns become [length, 6]. Lines
    of the section without a window take the row at the window's end, `ahead` takes a later one. Rows are not shuffled:
    the last ones are held out, and no window reaches from one part into another.

    Keras's `timeseries_dataset_from_array` cuts the same windows of `sequence_length`, with the same stride and
    sampling_rate.

    Example:
        weather = table[0:6] -> standardize() -> window(60)
    """

    length = arg(Int(1, MOST), "How many steps a window has.")
    stride = arg(Int(1, MOST), "How many rows one window starts after the one before it.", 1)
    sampling_rate = arg(Int(1, MOST), "How many rows lie from one step of a window to the next.", 1)

    def check(self) -> None:
        if (self.length - 1) * self.sampling_rate >= MOST:
            raise ConfigError(
                f"a window of {self.length:,} steps with {self.sampling_rate:,} rows between them reaches too far back",
                "length",
                help=f"a window spans up to {MOST:,} rows",
                code="NN0702",
            )

    def shape(self, row: tuple[int, ...] | None) -> tuple[int, ...] | None:
        return None if row is None else (self.length, *row)


@entry("transform")
class Lags(SeriesTransform):
    """Earlier values as columns of their own: what a regression or a Dense layer reads of a series.

    `lags(3)` gives the values of 1, 2 and 3 rows before, in this order, `lags([1, 7])` those of one and seven rows
    before; a row's own value is not among them, and can be the target. Of several columns all those of one lag stand
    together.

    Example:
        before = table.sales -> lags([1, 2, 7])
    """

    lags = arg(
        Either(Int(1, 10_000), ListOf(Int(1, MOST), least=1)),
        "How many rows before: all up to a number, or those of a list.",
    )

    def check(self) -> None:
        if isinstance(self.lags, tuple) and len(set(self.lags)) < len(self.lags):
            twice = next(lag for lag in self.lags if self.lags.count(lag) > 1)
            raise ConfigError(f"`lags` names {twice} twice", "lags", help="leave one of them out", code="NN0206")

    @property
    def steps(self) -> tuple[int, ...]:
        """How many rows before its own each value of a row stands."""
        return tuple(range(1, self.lags + 1)) if isinstance(self.lags, int) else self.lags

    def shape(self, row: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if row is None:
            return None
        if len(row) > 1:
            raise ConfigError(
                f"`lags` takes one number or one axis of numbers a row, and gets {len(row)} axes", "lags",
                help="`window` keeps the axes of a row", code="NN0605",
            )  # fmt: skip
        return (len(self.steps) * prod(row),)


@entry("transform")
class Ahead(SeriesTransform):
    """The value so many rows later: the target of a forecast.

    `ahead(1)` is the row behind the window's end, `ahead(24) -> window(24)` the next 24 rows.

    Example:
        temperature = table[1] -> ahead(1)
    """

    rows = arg(Int(1, MOST), "How many rows later.")
