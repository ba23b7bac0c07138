"""Which rows are for training, for validation, and held out."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.ir.graph import Model
from nndsl.runtime.checks import Filled
from nndsl.runtime.report import DataProblem
from nndsl.runtime.series import inside, line_up, reach_of
from nndsl.runtime.transforms import Step
from nndsl.source import Span

Rows: TypeAlias = npt.NDArray[np.intp]


class Series(NamedTuple):
    """How a series becomes samples: one takes in `span` rows, and the next begins `stride` rows later. `place` is the
    line of the section that reaches farthest."""

    span: int
    stride: int
    place: Span


def lined_up(filled: list[Filled], lines: Mapping[str, list[Step]]) -> Series | None:
    """Lines up the steps of what is filled; None where no line joins rows. Raises DataProblem where the series differ
    in length."""
    reaches = {name: sum(reach_of(steps)) for name, steps in lines.items()}
    found = line_up(lines)
    if found is None:
        return None
    span, stride = found
    first = filled[0]
    for item in filled[1:]:
        if len(item.values) != len(first.values):
            raise item.problem(
                "NN0605", f"{first.what} has {len(first.values):,} rows for `{first.slot.name}`, and {item.what} has "
                f"{len(item.values):,} for `{item.slot.name}`",
                help="windows are cut from series of the same times: give both a row for each time",
            )  # fmt: skip
    widest = max(filled, key=lambda item: reaches[item.slot.name])
    if len(first.values) < span:
        raise widest.problem(
            "NN0605", f"{first.what} has {len(first.values):,} rows, and a sample takes in {span:,} of them",
            help="give more rows, or reach less far",
        )  # fmt: skip
    return Series(span, stride, widest.span)


def split(
    model: Model,
    rows: int,
    options: dict[str, Any],
    *,
    last: int,
    ordered: bool,
    shown: str,
    files: tuple[str, ...] = (),
    series: Series | None = None,
) -> tuple[list[Rows], list[str]]:
    """[training, validation, test] and notes on what was left out: the last rows where they follow one another, else
    rows chosen by the source's seed.

    `last` rows at the end are the source's own test part. The `validation_split` of the `train` section takes the last
    share of what is left, as Keras counts it. What is trained on stays in its order. `files` names the parts that have
    files of their own. Raises DataProblem.

    Of a `series` the rows are split, the last ones held out, before samples are made: no row is in samples of two
    parts.
    """
    if series is not None:
        return _split_series(model, rows, options, shown, files, series)
    pool = np.arange(rows - last)
    if not ordered:
        np.random.default_rng(options.get("seed", 0)).shuffle(pool)
    test, validation = _counts(model, len(pool), options, files, own_test=last > 0)
    share = "validation" not in options and "validation" not in files and model.training.get("validation_split", 0)
    batch = model.batch
    if batch is not None:
        test, validation = (-(-count // batch) * batch for count in (test, validation))
    kept = len(pool) - test - validation
    if kept < (batch or 1):
        raise _too_few(model, rows, max(kept, 0), shown)
    held_out = np.arange(rows - last, rows) if last else pool[kept + validation :]
    rest = np.sort(pool[: kept + validation]) if share else pool[: kept + validation]
    parts, notes = whole_batches([np.sort(rest[:kept]), rest[kept:], held_out], batch)
    return parts, notes


def _counts(
    model: Model, rows: int, options: dict[str, Any], files: tuple[str, ...], *, own_test: bool = False
) -> tuple[int, int]:
    """How many rows are for the test and for validation."""
    test = 0 if own_test or "test" in files else round(rows * options.get("test", 0))
    if "validation" in files:
        return test, 0
    if "validation" in options:
        return test, round(rows * options["validation"])
    left = rows - test
    split = model.training.get("validation_split", 0)
    return test, left - int(left * (1 - split)) if split else 0


def _split_series(
    model: Model, samples: int, options: dict[str, Any], shown: str, files: tuple[str, ...], series: Series
) -> tuple[list[Rows], list[str]]:
    rows = (samples - 1) * series.stride + series.span
    test, validation = _counts(model, rows, options, files)
    ends = [0, rows - test - validation, rows - test, rows]
    parts = [inside(first, last, series.span, series.stride) for first, last in pairwise(ends)]
    for name, part, count in zip(("training", "validation", "test"), parts, (ends[1], validation, test), strict=True):
        if not len(part) and (count or name == "training"):
            raise DataProblem(
                "NN0605",
                f"the {name} part has {count:,} rows of {shown}, and a sample takes in {series.span:,} of them",
                series.place, help="give more rows, hold out another share, or take a shorter window",
            )  # fmt: skip
    parts, notes = whole_batches(parts, model.batch)
    across = samples - sum(map(len, parts))
    if across and model.batch is None:
        windows = "1 sample reaches" if across == 1 else f"{across:,} samples reach"
        notes.append(
            f"{windows} from one part of the series into the next, and {'is' if across == 1 else 'are'} left out"
        )
    return parts, notes


def whole_batches(parts: list[Rows], batch: int | None) -> tuple[list[Rows], list[str]]:
    """The parts cut to whole batches, where the model takes no others, and a note on it."""
    if batch is None:
        return parts, []
    notes = []
    if left := sum(len(part) % batch for part in parts):
        rows = f"{left} row is" if left == 1 else f"{left} rows are"
        notes.append(f"{rows} left out: the model takes whole batches of {batch}")
    return [part[: len(part) // batch * batch] for part in parts], notes


def _too_few(model: Model, rows: int, kept: int, shown: str) -> DataProblem:
    batch, given = model.batch, f"{rows} row{'' if rows == 1 else 's'} of {shown}"
    if batch is None:
        return DataProblem(
            "NN0605", f"of {given} none is left for training", model.span,
            help="hold out a smaller share, or give more data",
        )  # fmt: skip
    return DataProblem(
        "NN0605",
        f"of {given} {kept} {'is' if kept == 1 else 'are'} left for training, too few for a batch of {batch}",
        model.span,
        help="give more data, hold out less, or declare a smaller batch",
    )  # fmt: skip
