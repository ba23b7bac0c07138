"""The transforms of the `data` section on arrays. What one learns, it learns from the training part alone."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.layers.families.transforms import Cast, Offset, OneHot, Reshape, Scale, Standardize, Transform
from nndsl.runtime.report import DataProblem
from nndsl.source import Span

Array: TypeAlias = npt.NDArray[Any]


def as_float(values: Array, dtype: str) -> Array:
    """Numbers to calculate with: float64 as they are, small integers in the model's own type."""
    if values.dtype.kind == "f":
        return values
    return values.astype(np.float64 if dtype == "float64" or values.dtype.itemsize > 2 else np.float32)


def apply(
    transforms: tuple[Transform, ...], values: Array, train: npt.NDArray[np.intp], dtype: str, span: Span, what: str
) -> tuple[Array, list[dict[str, Any]]]:
    """The transformed [rows, …], and for each transform what one needs to do the same to new data.

    `train` are the rows of the training part, `span` and `what` the place and name of the data for messages. Raises
    DataProblem.
    """
    record: list[dict[str, Any]] = []
    for transform in transforms:
        name = transform.title()
        match transform:
            case Reshape():
                values = _reshape(values, transform.target_shape, span, what)
                record.append({"transform": name, "shape": list(values.shape[1:])})
            case Scale():
                values = as_float(values, dtype) * np.asarray(transform.factor, as_float(values[:0], dtype).dtype)
                record.append({"transform": name, "factor": transform.factor})
            case Offset():
                values = as_float(values, dtype) + np.asarray(transform.value, as_float(values[:0], dtype).dtype)
                record.append({"transform": name, "value": transform.value})
            case Standardize():
                values, learnt = _standardize(as_float(values, dtype), train)
                record.append({"transform": name, **learnt})
            case OneHot():
                values = _one_hot(values, transform.classes, span, what)
                record.append({"transform": name, "classes": transform.classes})
            case Cast():
                wanted = dtype if transform.dtype == "float" else transform.dtype
                values = values.astype("float32" if wanted == "bfloat16" else wanted)
                record.append({"transform": name, "dtype": wanted})
            case _:
                raise AssertionError(f"no transform {name}")
    return values, record


def _reshape(values: Array, shape: tuple[int, ...], span: Span, what: str) -> Array:
    try:
        return values.reshape(len(values), *shape)
    except ValueError:
        have = " × ".join(map(str, values.shape[1:])) or "1"
        raise DataProblem(
            "NN0605",
            f"{what} has rows of {have} values, which `reshape({', '.join(map(str, shape))})` cannot keep",
            span,
            help="one size may be -1, which means the rest",
        ) from None


def _standardize(values: Array, train: npt.NDArray[np.intp]) -> tuple[Array, dict[str, Any]]:
    part = values[train].astype(np.float64, copy=False)
    axes = tuple(range(max(part.ndim - 1, 1)))
    mean = part.mean(axes)
    deviation = part.std(axes)
    deviation = np.where(deviation > 0, deviation, 1.0)
    result = ((values - mean) / deviation).astype(values.dtype)
    return result, {"mean": np.ravel(mean).tolist(), "deviation": np.ravel(deviation).tolist()}


def _one_hot(values: Array, classes: int, span: Span, what: str) -> Array:
    if values.ndim > 1 and values.shape[-1] == 1:
        values = values[..., 0]
    wrong = ~((values >= 0) & (values < classes) & (values == np.floor(values)))
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        value = values[wrong][0]
        raise DataProblem(
            "NN0606",
            f"{what} holds {value:g} in row {row}, and `one_hot({classes})` takes class ids from 0 to {classes - 1}",
            span, help=_coding_help(values, classes),
        )  # fmt: skip
    result: Array = (values[..., None] == np.arange(classes)).astype(np.float32)
    return result


def _coding_help(values: Array, classes: int) -> str | None:
    if values.min() == 1 and values.max() == classes:
        return "the classes count from 1: put `offset(-1)` before it"
    return f"the largest is {values.max():g}" if np.isfinite(values.max()) else None
