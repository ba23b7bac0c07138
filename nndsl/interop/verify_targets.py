"""The targets of `nndsl verify`: numbers that suit each loss."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.ir.dims import evaluate
from nndsl.ir.graph import Model
from nndsl.runtime.slots import Slot

Array: TypeAlias = npt.NDArray[Any]
Sizes: TypeAlias = dict[str, int]

_POSITIVE = ("poisson", "mean_squared_logarithmic_error", "mean_absolute_percentage_error")
_ONE_HOT = ("categorical_hinge",)
_SIGNS = ("hinge", "squared_hinge")
_RATES = ("binary", "dice", "tversky")
_YES_OR_NO = (
    "auc",
    "precision",
    "recall",
    "accuracy",
    "iou",
    "io_u",
    "positives",
    "negatives",
    "sensitivity",
    "specificity",
)


def target(model: Model, slot: Slot, sizes: Sizes, rows: int, seed: int) -> Array:
    """Targets of an output that suit its loss and its metrics."""
    random, shape = seeded(slot, seed + 40), shape_of(slot, sizes, rows)
    dtype = "float32" if slot.type.is_float else slot.type.dtype
    output = next(output for output in model.outputs if output.name == slot.name)
    metrics = [metric.label for metric in output.metrics]
    if slot.loss == "ctc":
        return _letters(random, shape, [evaluate(dim, sizes) for dim in output.value.type.features]).astype(dtype)
    if slot.classes is not None:
        ids = random.integers(0, slot.classes, shape)
        if slot.ignored is not None:
            ids = np.where(random.random(shape) < 0.2, slot.ignored, ids)
        return ids.astype(dtype)
    if not slot.type.is_float:
        return random.integers(0, 2, shape).astype(dtype)
    if slot.loss in _ONE_HOT or (slot.loss.startswith("categorical") and metrics):
        classes = random.integers(0, shape[-1], shape[:-1])
        return np.asarray(classes[..., None] == np.arange(shape[-1])).astype(dtype)
    if slot.loss.startswith(("categorical", "kl_")):
        return _distributions(random, shape).astype(dtype)
    if slot.loss in _SIGNS:
        return (random.integers(0, 2, shape) * 2 - 1).astype(dtype)
    if slot.loss.startswith(_RATES) or any(word in label for label in metrics for word in _YES_OR_NO):
        return random.integers(0, 2, shape).astype(dtype)
    value: Array = random.normal(size=shape)
    return (np.abs(value) + 0.2 if slot.loss in _POSITIVE else value).astype(dtype)


def _letters(random: np.random.Generator, shape: tuple[int, ...], read: list[int]) -> Array:
    """Texts that fit into what was read, [steps, classes], with a blank between any two letters; the rest is 0."""
    steps, classes = read
    longest = min(shape[-1], (steps + 1) // 2)
    lengths = random.integers(1, longest + 1, shape[:-1])
    letters = random.integers(1, classes, shape)
    return np.where(np.arange(shape[-1]) < lengths[..., None], letters, 0)


def _distributions(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Shares of 64 along the last axis, which sum to 1 in float32 too: TensorFlow's gradient of a cross-entropy takes
    that for granted."""
    chances = random.dirichlet(np.ones(shape[-1]), shape[:-1])
    result: Array = random.multinomial(64, chances) / 64
    return result


def shape_of(slot: Slot, sizes: Sizes, rows: int) -> tuple[int, ...]:
    return (rows, *(evaluate(dim, sizes) for dim in slot.row))


def seeded(slot: Slot, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, *slot.name.encode()])
