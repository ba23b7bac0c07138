"""Data that no file holds: built-in sets, made series, seeded random arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.ir.dims import DimTooComplex, evaluate, free_symbols
from nndsl.ir.graph import Model
from nndsl.passes.data_fit import wanted_type
from nndsl.runtime.report import DataProblem, Unavailable
from nndsl.runtime.slots import WEIGHTS, Slot, free_names, trained

Array: TypeAlias = npt.NDArray[np.generic]

SMALLEST_SIZE = 8
"""What a free dimension has in random data, where the model admits it."""
RANDOM_BYTES = 64 * 2**20


def built_in(name: str) -> tuple[dict[str, Array], list[str]]:
    """The arrays of `digits`, `iris` or `breast_cancer`: image or features, and label; and the names of the classes."""
    try:
        from sklearn import datasets
    except ImportError:
        raise Unavailable(
            f"`{name}()` is part of scikit-learn, which is not installed", "install it: pip install 'nndsl[data]'"
        ) from None
    found = getattr(datasets, f"load_{name}")()
    names = [str(title) for title in found.target_names]
    if name == "digits":
        return {"image": found.images, "label": found.target}, names
    return {"features": found.data, "label": found.target}, names


def _triangle(turns: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    result: npt.NDArray[np.floating[Any]] = 1 - 4 * np.abs((turns + 0.25) % 1 - 0.5)
    return result


_WAVES: dict[str, Callable[[npt.NDArray[np.floating[Any]]], npt.NDArray[np.floating[Any]]]] = {
    "sin": np.sin,
    "cos": np.cos,
    "triangle": lambda time: _triangle(time / (2 * np.pi)),
    "square": lambda time: np.where(time / (2 * np.pi) % 1 < 0.5, 1.0, -1.0),
    "sawtooth": lambda time: 2 * (time / (2 * np.pi) % 1) - 1,
}


def series(wave: str, *, rows: int, batch: int, length: int, step: float) -> npt.NDArray[np.floating[Any]]:
    """A wave as [rows, length]: row j of a batch goes on where row j of the batch before it ended."""
    number = np.arange(rows)
    first = (number // batch + number % batch) * length
    return _WAVES[wave]((first[:, None] + np.arange(length)) * step)


def random_sizes(model: Model) -> dict[str, int]:
    """Small sizes of the free dimensions that the model admits. Raises DataProblem."""
    names = free_names(model)
    for least in (SMALLEST_SIZE, 1):
        try:
            return _with_letters(model, model.constraints.smallest_sizes(names, least))
        except (ValueError, DimTooComplex):
            continue
    raise DataProblem(
        "NN0605", f"no sizes were found for the free dimensions of `{model.name}`", model.span,
        help="give an .npz file of arrays with sizes that suit",
    )  # fmt: skip


def _with_letters(model: Model, sizes: dict[str, int]) -> dict[str, int]:
    """The sizes with those that targets alone have (`CTC`): short enough to fit into the steps of the output, a blank
    between any two letters included."""
    for output in trained(model):
        for dim in wanted_type(output).features:
            for name in set(free_symbols(dim)) - set(sizes):
                sizes = {**sizes, name: (evaluate(output.value.type.shape[1], sizes) + 1) // 2}
    return sizes


def random_rows(model: Model, slots: list[Slot]) -> int:
    """How many random rows suit: 1,000, or fewer where they are large."""
    sizes = random_sizes(model)
    size = sum(4 * int(np.prod([evaluate(d, sizes) for d in slot.row])) for slot in slots)
    return max(min(1000, RANDOM_BYTES // max(size, 1)), 4 * (model.batch or 8))


def random_array(slot: Slot, sizes: dict[str, int], rows: int, seed: int) -> Array:
    """Random values that the slot takes. The same slot and seed give the same values, whatever else is asked for."""
    shape = (rows, *(evaluate(d, sizes) for d in slot.row))
    generator = np.random.default_rng([seed, *slot.name.encode()])
    dtype = slot.type.dtype
    if slot.what == WEIGHTS:
        return generator.uniform(0.5, 1.5, shape).astype(np.float32)
    if slot.classes is not None:
        return generator.integers(0, slot.classes, shape, dtype=np.int64)
    if slot.what == "output" and slot.loss.startswith(("categorical", "kl_")):
        classes = shape[-1]
        ids = generator.integers(0, classes, shape[:-1])
        result: Array = (ids[..., None] == np.arange(classes)).astype(np.float32)
        return result
    if dtype == "bool" or "hinge" in slot.loss or slot.loss.startswith("binary"):
        return generator.integers(0, 2, shape).astype(bool if dtype == "bool" else np.float32)
    if not slot.type.is_float:
        count = min(slot.ids[0] if slot.ids else 10, 2**31 - 1, 127 if dtype == "int8" else 2**31 - 1)
        first = 1 if slot.ids and slot.ids[3] and count > 1 else 0
        return generator.integers(first, count, shape)
    return generator.random(shape, dtype=np.float32)
