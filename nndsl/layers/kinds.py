"""The kinds of arguments: what values each takes, and what is said when a value does not suit."""

from __future__ import annotations

import math
from typing import Any, Generic, TypeVar

from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.types import DTYPES
from nndsl.layers.entry import ArgumentError, Binder, Entry, Kind
from nndsl.layers.values import Option, Ref, Unbound, show

T = TypeVar("T")
WRONG_TYPE = "NN0205"


def _number(low: float | None, high: float | None, what: str) -> str:
    if low is None and high is None:
        return f"a{'n' if what == 'integer' else ''} {what}"
    if high is None:
        if low == 1 and what == "integer":
            return "a positive integer"
        return f"a{'n' if what == 'integer' else ''} {what}, {low:g} or more"
    if low is None:
        return f"a {what}, {high:g} or less"
    shown = (f"{bound:,}" if isinstance(bound, int) else f"{bound:g}" for bound in (low, high))
    return f"a{'n' if what == 'integer' else ''} {what} from {' to '.join(shown)}"


class Int(Kind[int]):
    """An integer from `low` to `high` (both included)."""

    def __init__(self, low: int | None = None, high: int | None = None) -> None:
        self.low, self.high = low, high

    def convert(self, value: object, bind: Binder) -> int:
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            raise ArgumentError(
                f"must be {self.describe()}, not {show(value)}",
                code=WRONG_TYPE,
                help=f"write `{int(value)}`",
                instead=(f"change to `{int(value)}`", str(int(value))),
            )
        if not isinstance(value, int) or isinstance(value, bool):
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}", code=WRONG_TYPE)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}")
        return value

    def describe(self) -> str:
        return _number(self.low, self.high, "integer")


class Float(Kind[float]):
    """A number from `low` to `high`; with `below` it stays under `high`, with `above` over `low`."""

    def __init__(
        self, low: float | None = None, high: float | None = None, *, above: bool = False, below: bool = False
    ) -> None:
        self.low, self.high, self.above, self.below = low, high, above, below

    def convert(self, value: object, bind: Binder) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}", code=WRONG_TYPE)
        low_ok = self.low is None or value > self.low or (value == self.low and not self.above)
        high_ok = self.high is None or value < self.high or (value == self.high and not self.below)
        if math.isnan(value) or not (low_ok and high_ok):
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}")
        try:
            return float(value)
        except OverflowError:
            raise ArgumentError(f"must be {self.describe()}, and {show(value)} is too large for one") from None

    def describe(self) -> str:
        if self.above and self.low is not None and self.high is None:
            return f"a number greater than {self.low:g}"
        if self.above and self.below and self.low is not None and self.high is not None:
            return f"a number between {self.low:g} and {self.high:g}"
        if self.below and self.high is not None and self.low is not None:
            return f"a number from {self.low:g} up to but not including {self.high:g}"
        return _number(self.low, self.high, "number")


class Bool(Kind[bool]):
    def convert(self, value: object, bind: Binder) -> bool:
        if not isinstance(value, bool):
            raise ArgumentError(f"must be `true` or `false`, not {show(value)}", code=WRONG_TYPE)
        return value

    def describe(self) -> str:
        return "`true` or `false`"


class Text(Kind[str]):
    """A string, or a bare name that stands for itself."""

    def convert(self, value: object, bind: Binder) -> str:
        if isinstance(value, Option):
            return value.name
        if not isinstance(value, str):
            raise ArgumentError(f"must be a string, not {show(value)}", code=WRONG_TYPE)
        return value

    def describe(self) -> str:
        return "a string"


class Choice(Kind[str]):
    """One of some names, written bare or as a string."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def convert(self, value: object, bind: Binder) -> str:
        name = value.name if isinstance(value, Option) else value
        if not isinstance(name, str):
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}", code=WRONG_TYPE)
        if name not in self.names:
            close = suggest(name, self.names)
            raise ArgumentError(
                f"must be {self.describe()}, not {show(value)}",
                help=did_you_mean(name, self.names),
                instead=(f"change to `{close[0]}`", close[0]) if close else None,
            )
        return name

    def describe(self) -> str:
        names = [f"`{name}`" for name in self.names]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


class Maybe(Kind[T | None], Generic[T]):
    """`none`, or a value of another kind."""

    def __init__(self, kind: Kind[T]) -> None:
        self.kind = kind

    def convert(self, value: object, bind: Binder) -> T | None:
        return None if value is None else self.kind.convert(value, bind)

    def describe(self) -> str:
        return f"{self.kind.describe()}, or `none`"


class Either(Kind[Any]):
    """A value of the first kind that takes it. Where none does, the error of the kind that came closest is shown."""

    def __init__(self, *kinds: Kind[Any]) -> None:
        self.kinds = kinds

    def convert(self, value: object, bind: Binder) -> Any:
        found: ArgumentError | None = None
        for kind in self.kinds:
            try:
                return kind.convert(value, bind)
            except ArgumentError as error:
                if error.code != WRONG_TYPE:
                    found = found or error
        raise found or ArgumentError(f"must be {self.describe()}, not {show(value)}", code=WRONG_TYPE)

    def describe(self) -> str:
        return " or ".join(kind.describe() for kind in self.kinds)


class PerAxis(Kind[tuple[int, ...]]):
    """An integer for each of `rank` axes; one alone stands for all."""

    def __init__(self, rank: int, low: int = 1) -> None:
        self.rank, self.item = rank, Int(low)

    def convert(self, value: object, bind: Binder) -> tuple[int, ...]:
        if isinstance(value, tuple | list):
            if len(value) != self.rank:
                raise ArgumentError(f"must be {self.describe()}, not {show(value)}")
            return tuple(self._item(item, value, bind) for item in value)
        return (self._item(value, value, bind),) * self.rank

    def _item(self, item: object, whole: object, bind: Binder) -> int:
        try:
            return self.item.convert(item, bind)
        except ArgumentError as error:
            raise ArgumentError(f"must be {self.describe()}, not {show(whole)}", code=error.code) from None

    def describe(self) -> str:
        one = self.item.describe()
        if self.rank == 1:
            return one
        return f"{one} or {self.rank} of them"


class ListOf(Kind[tuple[T, ...]], Generic[T]):
    """A list (or tuple) of values of one kind; with `single` one value alone stands for a list of one."""

    def __init__(self, kind: Kind[T], *, least: int = 0, length: int | None = None, single: bool = False) -> None:
        self.kind, self.least, self.length, self.single = kind, least, length, single

    def convert(self, value: object, bind: Binder) -> tuple[T, ...]:
        if not isinstance(value, tuple | list | range):
            if self.single:
                return (self.kind.convert(value, bind),)
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}", code=WRONG_TYPE)
        if len(value) < self.least or (self.length is not None and len(value) != self.length):
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}")
        if len(value) > 1_000_000:
            raise ArgumentError("is too long a list", code="NN0702")
        found: list[T] = []
        wrong: list[ArgumentError] = []
        for item in value:
            try:
                found.append(self.kind.convert(item, bind))
            except ArgumentError as error:
                wrong.append(error)
        if wrong:
            told = [error for error in wrong if error.message] or wrong  # those without a message are reported already
            told[0].more = tuple(told[1:])
            raise told[0]
        return tuple(found)

    def describe(self) -> str:
        many = f"{self.length}" if self.length is not None else "one or more" if self.least else "any number"
        return f"a list of {many} values, each {self.kind.describe()}"


class Anything(Kind[object]):
    """Any value that is known at compile time."""

    def convert(self, value: object, bind: Binder) -> object:
        if isinstance(value, Unbound | Ref):
            raise ArgumentError(f"must be a value that is known at compile time, not {show(value)}", code=WRONG_TYPE)
        return value.name if isinstance(value, Option) else value

    def describe(self) -> str:
        return "a value"


class Dtype(Kind[str]):
    """A dtype, `float` and `int` included (`float` stays `float`: the model's own type)."""

    def convert(self, value: object, bind: Binder) -> str:
        name = value.name if isinstance(value, Option) else value
        if name == "int":
            return "int32"
        if name == "float" or name in DTYPES:
            return str(name)
        hint = did_you_mean(name, ("float", "int", *DTYPES)) if isinstance(name, str) else None
        raise ArgumentError(f"must be a dtype, not {show(value)}", help=hint or f"the dtypes are {', '.join(DTYPES)}")

    def describe(self) -> str:
        return "a dtype (`float32`, `int64`, `bool`, …)"


class Of(Kind[Any]):
    """An entry of another part of the catalogue: `Of("initializer")` takes `glorot_uniform`, `"zeros"` and
    `RandomUniform(-1, 1)`."""

    def __init__(self, category: str) -> None:
        self.category = category

    def convert(self, value: object, bind: Binder) -> Entry:
        return bind.entry(value, self.category)

    def describe(self) -> str:
        article = "an" if self.category[0] in "aeiou" else "a"
        return f"{article} {self.category.replace('_', ' ')}"


class OfActivation(Of):
    """An activation as the argument of another layer."""

    def __init__(self) -> None:
        super().__init__("activation")

    def convert(self, value: object, bind: Binder) -> Entry:
        entry = super().convert(value, bind)
        reason: str | None = getattr(entry, "alone", None)
        if reason is not None:
            raise ArgumentError(
                f"cannot be {show(value)}, which {reason}",
                help="give it a layer of its own, behind this one: `-> Activation(…)`",
            )
        return entry


Initializer = Of("initializer")
Regularizer = Maybe(Of("regularizer"))
Constraint = Maybe(Of("constraint"))
Activation = Maybe(OfActivation())
DataFormat: Kind[Any] = Maybe(Choice("channels_last", "channels_first"))
