"""Which rows are for training, for validation, and held out."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.ir.graph import Model
from nndsl.runtime.report import DataProblem

Rows: TypeAlias = npt.NDArray[np.intp]


def split(
    model: Model,
    rows: int,
    options: dict[str, Any],
    *,
    last: int,
    ordered: bool,
    shown: str,
    files: tuple[str, ...] = (),
) -> tuple[list[Rows], list[str]]:
    """[training, validation, test] and notes on what was left out: the last rows where they follow one another, else
    rows chosen by the source's seed.

    `last` rows at the end are the source's own test part. The `validation_split` of the `train` section takes the last
    share of what is left, as Keras counts it. What is trained on stays in its order. `files` names the parts that have
    files of their own. Raises DataProblem.
    """
    pool = np.arange(rows - last)
    if not ordered:
        np.random.default_rng(options.get("seed", 0)).shuffle(pool)
    shares = [0 if last or "test" in files else options.get("test", 0), options.get("validation", 0)]
    share = 0 if "validation" in options or "validation" in files else model.training.get("validation_split", 0)
    if "validation" in files:
        shares[1] = 0
    counts = [round(len(pool) * part) for part in shares]
    if share:
        left = len(pool) - counts[0]
        counts[1] = left - int(left * (1 - share))
    batch = model.batch
    if batch is not None:
        counts = [-(-count // batch) * batch for count in counts]
    test, validation = counts
    kept = len(pool) - test - validation
    if kept < (batch or 1):
        raise _too_few(model, rows, max(kept, 0), shown)
    held_out = np.arange(rows - last, rows) if last else pool[kept + validation :]
    rest = np.sort(pool[: kept + validation]) if share else pool[: kept + validation]
    parts, notes = whole_batches([np.sort(rest[:kept]), rest[kept:], held_out], batch)
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
        "NN0605", f"of {given} {kept} are left for training, which do not fill a batch of {batch}", model.span,
        help="give more data, hold out less, or declare a smaller batch",
    )  # fmt: skip
