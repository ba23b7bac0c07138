"""The transforms of the `data` section at work: each is a `Step`. What one learns, it learns from the training part
alone, and its record does the same to new data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.layers.families.transforms import Transform

Array: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = npt.NDArray[np.intp]


class StepError(Exception):
    """Values that a step cannot take. `index` is the place of the first one within what the step was given, the row
    first; None where all rows are meant. `total` is how many there are."""

    def __init__(
        self, message: str, index: tuple[int, ...] | None = None, help: str | None = None, code: str = "NN0606"
    ) -> None:
        super().__init__(message)
        self.message, self.index, self.help, self.code = message, index, help, code


class Step:
    """One transform at work. `name` is that of the transform; `dtype` the model's float dtype.

    A step keeps the number of rows: `apply` works on any part of them, on each row alone, so that data larger than the
    memory are transformed when rows are taken. Where `changes_rows` is set it works on the whole series instead, before
    rows are split: `across` takes the place of `apply`.
    """

    name: ClassVar[str]
    learns: ClassVar[bool] = False
    changes_rows: ClassVar[bool] = False
    planned: ClassVar[bool] = False  # follows from the other lines of the data, and stands in no record
    stride: int = 1  # how many rows of a series one sample of it starts after the one before

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        """`settings` are the arguments of the transform by name, or a record. Raises KeyError, TypeError or ValueError
        where a record is damaged."""
        self.dtype = dtype

    @property
    def class_names(self) -> list[str]:
        """The names of the classes whose ids it gives, by id; empty for most."""
        return []

    def learn(self, chunks: Iterable[Array]) -> None:
        """Learns from the training rows, given in chunks [rows, …] as the steps before leave them. Raises StepError."""

    def apply(self, values: Array) -> Array:
        """The transformed rows [rows, …], as many as before. Raises StepError."""
        raise NotImplementedError

    def record(self) -> dict[str, Any]:
        """What one needs to do the same to new data, as JSON: without the name."""
        return {}

    # ---------------------------------------------------------------- only of steps that change the number of rows

    def rows(self, count: int) -> int:
        """How many rows come of that many."""
        return count

    def reads(self, rows: Rows) -> Rows:
        """Which rows of the series, each once and in order, the given rows of the result are made of."""
        return rows

    def origin(self, index: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """The place in the series of the value at that place of the result, the row first."""
        return index

    def across(self, values: Array) -> Array:
        """The rows made of a whole series [steps, …]: a view of it, which copies nothing. Raises StepError."""
        raise NotImplementedError


STEPS: dict[str, type[Step]] = {}
"""The steps by the names of their transforms."""


def step(cls: type[Step]) -> type[Step]:
    """Makes a step known."""
    STEPS[cls.name] = cls
    return cls


def step_of(transform: Transform, dtype: str) -> Step:
    """The step of a transform of the `data` section; it has learnt nothing yet."""
    return STEPS[transform.title()]({name: getattr(transform, name) for name in transform.arguments}, dtype)


def from_record(record: Any, dtype: str) -> Step:
    """The step that gave the record, with what it has learnt. Raises StepError where the record is damaged."""
    try:
        return STEPS[record["transform"]](record, dtype)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        name = record.get("transform") if isinstance(record, Mapping) else None
        raise StepError(
            f"what `{name}` has learnt is damaged" if name in STEPS else "no transform is recorded"
        ) from None


def record_of(step: Step) -> dict[str, Any]:
    """The record of a step, for `from_record`."""
    return {"transform": step.name, **step.record()}


def as_float(values: Array, dtype: str) -> Array:
    """Numbers to calculate with: floats as they are, small integers in the model's own type."""
    if values.dtype.kind == "f":
        return values
    return values.astype(np.float64 if dtype == "float64" or values.dtype.itemsize > 2 else np.float32)


@step
class ReshapeStep(Step):
    name = "reshape"

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.shape = [int(size) for size in settings.get("shape") or settings["target_shape"]]

    def apply(self, values: Array) -> Array:
        try:
            return values.reshape(len(values), *self.shape) if len(values) else self._empty(values)
        except ValueError:
            have = " × ".join(map(str, values.shape[1:])) or "1"
            raise StepError(
                f"has rows of {have} values, which `reshape({', '.join(map(str, self.shape))})` cannot keep",
                None, "one size may be -1, which means the rest", "NN0605",
            ) from None  # fmt: skip

    def _empty(self, values: Array) -> Array:
        """NumPy knows no -1 where there is no row."""
        return np.zeros((1, *values.shape[1:]), values.dtype).reshape(1, *self.shape)[:0]

    def record(self) -> dict[str, Any]:
        return {"shape": self.shape}


@step
class ScaleStep(Step):
    name = "scale"

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.factor = float(settings["factor"])

    def apply(self, values: Array) -> Array:
        numbers = as_float(values, self.dtype)
        result: Array = numbers * np.asarray(self.factor, numbers.dtype)
        return result

    def record(self) -> dict[str, Any]:
        return {"factor": self.factor}


@step
class OffsetStep(Step):
    name = "offset"

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.value = float(settings["value"])

    def apply(self, values: Array) -> Array:
        numbers = as_float(values, self.dtype)
        result: Array = numbers + np.asarray(self.value, numbers.dtype)
        return result

    def record(self) -> dict[str, Any]:
        return {"value": self.value}


@step
class StandardizeStep(Step):
    """Mean and deviation of each place of the last axis, gathered chunk by chunk in float64 as Chan, Golub and LeVeque
    do it (1979): exact for a single chunk, and stable where the mean is large."""

    name = "standardize"
    learns = True

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.mean: Array = np.asarray(settings.get("mean", [0.0]), np.float64)
        self.deviation: Array = np.asarray(settings.get("deviation", [1.0]), np.float64)
        if self.mean.shape != self.deviation.shape or self.mean.ndim > 1 or not (self.deviation > 0).all():
            raise ValueError("not a mean and a deviation for each feature")

    def learn(self, chunks: Iterable[Array]) -> None:
        count = 0
        mean = variance = deviation = np.zeros(())
        for chunk in chunks:
            part = as_float(chunk, self.dtype).astype(np.float64, copy=False)
            axes = tuple(range(max(part.ndim - 1, 1)))
            more = part.size // max(int(np.prod(part.shape[-1:] if part.ndim > 1 else ())), 1)
            if more == 0:
                continue
            own, spread = part.mean(axes), part.std(axes)
            if count == 0:
                count, mean, variance, deviation = more, own, spread**2, spread
                continue
            total, apart = count + more, own - mean
            variance = (variance * count + spread**2 * more + apart**2 * (count * more / total)) / total
            mean = mean + apart * (more / total)
            count, deviation = total, np.sqrt(variance)
        if count and not np.isfinite(deviation).all():
            raise StepError("holds numbers that are too large for `standardize`", help="put `-> scale(…)` before it")
        if count:
            self.mean = np.ravel(mean)
            self.deviation = np.ravel(np.where(deviation > 0, deviation, 1.0))

    def apply(self, values: Array) -> Array:
        numbers = as_float(values, self.dtype)
        last = values.shape[-1] if values.ndim > 1 else 1
        if last != len(self.mean):
            raise StepError(
                f"has {last} features, and `standardize` has learnt the mean of {len(self.mean)}",
                help="new data have the columns that were trained on",
                code="NN0605",
            )
        result: Array = ((numbers - self.mean) / self.deviation).astype(numbers.dtype)
        return result

    def record(self) -> dict[str, Any]:
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}


@step
class OneHotStep(Step):
    name = "one_hot"

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.classes = int(settings["classes"])

    def apply(self, values: Array) -> Array:
        if values.ndim > 1 and values.shape[-1] == 1:
            values = values[..., 0]
        wrong = ~((values >= 0) & (values < self.classes) & (values == np.floor(values)))
        if wrong.any():
            index = tuple(int(place) for place in np.argwhere(wrong)[0])
            raise StepError(
                f"is {values[index]:g}, and `one_hot({self.classes})` takes class ids from 0 to {self.classes - 1}",
                index, self._help(values),
            )  # fmt: skip
        result: Array = (values[..., None] == np.arange(self.classes)).astype(np.float32)
        return result

    def _help(self, values: Array) -> str | None:
        if values.min() == 1 and values.max() == self.classes:
            return "the classes count from 1: put `-> offset(-1)` before it"
        if values.min() >= 0 and np.isfinite(values.max()):
            return f"take `one_hot({int(values.max()) + 1})`, if there are so many classes"
        return "class ids count from 0"

    def record(self) -> dict[str, Any]:
        return {"classes": self.classes}


@step
class CastStep(Step):
    name = "cast"

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.to = dtype if settings["dtype"] == "float" else str(settings["dtype"])
        self.kept = np.dtype("float32" if self.to == "bfloat16" else self.to)

    def apply(self, values: Array) -> Array:
        return values.astype(self.kept)

    def record(self) -> dict[str, Any]:
        return {"dtype": self.to}


from nndsl.runtime import series, words  # noqa: E402, F401  further steps, known by being imported
