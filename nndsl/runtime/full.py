"""Where a batch does not fit into the memory: what would fit, and what is said, in every framework."""

from __future__ import annotations

from collections.abc import Callable

from nndsl.ir.graph import Model
from nndsl.runtime.report import DataProblem


def largest_that_fits(rows: int, fits: Callable[[int], bool]) -> int:
    """Tries halves of a batch of `rows` that does not fit; 0 where not even one sample does."""
    while rows := rows // 2:
        if fits(rows):
            break
    return rows


def full(model: Model, batch: int, *, gpu: bool, fits: int | None) -> DataProblem:
    """`fits` is the largest batch that would fit, 0 where none does, None where that is not known."""
    where = "the memory of the GPU" if gpu else "the memory"
    elsewhere = " or `--device cpu`" if gpu else ""
    if fits is None:
        help = f"take a smaller batch (`--batch-size {max(batch // 2, 1)}`), a smaller model{elsewhere}"
    elif fits:
        help = f"a batch of {fits} fits: `--batch-size {fits}`"
    else:
        help = f"not even one sample fits: take a smaller model{elsewhere}"
    return DataProblem(
        "NN0702", f"{where} does not hold a batch of {batch} of `{model.name}`", model.span, help=help
    )  # fmt: skip
