"""Parts for cross-validation, the same as scikit-learn's KFold and StratifiedKFold make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.runtime.report import DataProblem
from nndsl.source import Span

Rows: TypeAlias = npt.NDArray[np.intp]


def folds(splitter: Any, rows: Rows, labels: npt.NDArray[Any] | None, span: Span) -> list[tuple[Rows, Rows]]:
    """(training rows, tested rows) for each part. `labels` are the class of each of `rows`, for StratifiedKFold.
    Raises DataProblem."""
    count, title = splitter.n_splits, type(splitter).__name__
    if len(rows) < count:
        raise DataProblem(
            "NN0605", f"`{title}({count})` cannot cut {len(rows)} rows into {count} parts", span,
            help="take fewer parts, or give more data",
        )  # fmt: skip
    random = np.random.RandomState(splitter.random_state) if splitter.shuffle else None
    if title == "StratifiedKFold":
        part = _stratified(labels, count, random, span)
    else:
        part = np.empty(len(rows), dtype=np.intp)
        order = np.arange(len(rows))
        if random is not None:
            random.shuffle(order)
        for number, chosen in enumerate(np.array_split(order, count)):
            part[chosen] = number
    return [(rows[part != number], rows[part == number]) for number in range(count)]


def _stratified(labels: npt.NDArray[Any] | None, count: int, random: Any, span: Span) -> Rows:
    if labels is None:
        raise DataProblem(
            "NN0506", "`StratifiedKFold` needs classes, and no output of the model has any", span, help="take `KFold`"
        )
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    encoded = np.argsort(np.argsort(first))[inverse]  # classes by first appearance, as scikit-learn counts them
    classes = len(first)
    if np.bincount(encoded).max() < count:
        raise DataProblem(
            "NN0605", f"no class has as many as {count} rows, which `StratifiedKFold({count})` needs", span,
            help="take fewer parts, or give more data",
        )  # fmt: skip
    ordered = np.sort(encoded)
    shares = [np.bincount(ordered[number::count], minlength=classes) for number in range(count)]
    part = np.empty(len(encoded), dtype=np.intp)
    for label in range(classes):
        numbers = np.arange(count).repeat([share[label] for share in shares])
        if random is not None:
            random.shuffle(numbers)
        part[encoded == label] = numbers
    return part


def labels_of(targets: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any] | None:
    """The class of each row by the first of the targets that has classes: ids, one-hot rows, or 0 and 1."""
    for values in targets:
        if values.dtype.kind in "iu" and values.ndim == 1:
            return values
        if values.ndim == 2 and values.shape[1] > 1 and np.isin(values, (0, 1)).all():
            classes: npt.NDArray[Any] = values.argmax(1)
            return classes
        if np.isin(values, (0, 1)).all():
            ids: npt.NDArray[Any] = values.reshape(len(values), -1)[:, 0].astype(np.int64)
            return ids
    return None
