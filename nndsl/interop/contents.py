"""What a weight file holds, whatever its format: as the file itself names it (`Contents`), or by canonical name
(`Weights`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.interop.problem import WrongWeights

Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Item:
    """One array of a file, which is read when it is asked for."""

    shape: Shape
    dtype: str
    load: Callable[[], Array]


@dataclass
class Contents:
    """A file as it is: arrays of the model, arrays of the optimizer, what else is said in it. `raw` is the format's
    own business."""

    format: str
    weights: dict[str, Item]
    state: dict[str, Item] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    raw: Any = None


@dataclass
class Weights:
    """A model's weights by canonical name ("dense/kernel"), in Keras's layout, and the state of its optimizer
    ("optimizer/dense/kernel/momentum"; empty where there is none). `warnings` are what was noticed: code, text."""

    values: dict[str, Array]
    state: dict[str, Array] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    warnings: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """An array that a file must have. `known` is its canonical name, where the file calls it by another."""

    shape: Shape
    dtype: str
    known: str = ""


_HELP = "is it of this version of the model? `--set` must be what it was for the program that saved the file"


def compare(
    found: Mapping[str, Item], wanted: Mapping[str, Wanted], *, file: str, owner: str, code: str,
    help: str | None = None, optional: Iterable[str] = (), ignored: Iterable[str] = (),
) -> list[tuple[str, str]]:  # fmt: skip
    """Raises WrongWeights with the whole list where the arrays of a file are not those that are wanted; `optional`
    ones may be missing, `ignored` ones may be there. Gives a warning (code, text) for what has to be rounded."""
    missing = [name for name in wanted if name not in found and name not in set(optional)]
    extra = [name for name in found if name not in wanted and name not in set(ignored)]
    both = [(name, found[name], wanted[name]) for name in wanted if name in found]
    shapes = [(name, item, want) for name, item, want in both if item.shape != want.shape]
    kinds = [(name, item, want) for name, item, want in both if not _castable(item.dtype, want.dtype)]
    notes = [f"missing: {_shown(name, wanted[name].known)} {list(wanted[name].shape)}" for name in missing]
    notes += [f"not of {owner}: `{name}` {list(found[name].shape)}" for name in extra]
    notes += [f"{_shown(n, w.known)} is {list(i.shape)}, and {owner}'s is {list(w.shape)}" for n, i, w in shapes]
    notes += [f"{_shown(n, w.known)} is {i.dtype}, and {owner}'s is {w.dtype}" for n, i, w in kinds]
    if notes:
        parts = [f"{len(missing)} missing"] if missing else []
        parts += [f"{len(extra)} too many"] if extra else []
        parts += [f"{len(shapes)} of another shape"] if shapes else []
        parts += [f"{len(kinds)} of another type"] if kinds else []
        if both or not found:
            message = f"{file} does not fit {owner}: {', '.join(parts)}"
        else:
            message = f"{file} is of another model: {owner} has none of its arrays"
        raise WrongWeights(message, code=code, notes=notes, help=help or _HELP)
    rounded = [(name, item.dtype, want.dtype) for name, item, want in both if _narrows(item.dtype, want.dtype)]
    if not rounded:
        return []
    name, there, here = rounded[0]
    others = f" and {len(rounded) - 1} more" if len(rounded) > 1 else ""
    return [("NN1006", f"`{name}`{others}: {there} in the file, rounded to the model's {here}")]


def items_of(arrays: Mapping[str, Array]) -> dict[str, Item]:
    """Arrays that are there already, as items."""
    return {name: Item(array.shape, array.dtype.name, partial(np.asarray, array)) for name, array in arrays.items()}


def taken(item: Item, want: Wanted) -> Array:
    """The array, with the dtype that is wanted."""
    return np.asarray(item.load(), dtype=want.dtype, order="C")


def no_numbers(values: Mapping[str, Array]) -> list[str]:
    """The names of arrays that hold not-a-number or infinity."""
    return [name for name, array in values.items() if array.dtype.kind == "f" and not np.isfinite(array).all()]


def apart(a: Array, b: Array) -> Array:
    """How far apart two arrays of floats are, place by place; infinitely where one alone is no number, and not at all
    where both are none."""
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.where(same, 0.0, np.abs(a - b))
    return np.where(np.isnan(gap), np.inf, gap)


def _shown(name: str, known: str) -> str:
    return f"`{name}` ({known})" if known and known != name else f"`{name}`"


def _castable(there: str, here: str) -> bool:
    try:
        kinds = np.dtype(there).kind, np.dtype(here).kind
    except TypeError:
        return False
    return kinds[0] == kinds[1] or (kinds[0] in "iu" and kinds[1] in "iu")


def _narrows(there: str, here: str) -> bool:
    return not np.can_cast(np.dtype(there), np.dtype(here), "safe") and np.dtype(here).kind == "f"
