"""The data of `nndsl verify`: seeded weights, inputs and targets that make both programs show what they do.

All of them are float32 numbers, also for a float64 program, so that both types compute the same thing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nndsl.interop.verify_targets import Array, Sizes, seeded, shape_of, target
from nndsl.ir.dims import DimTooComplex
from nndsl.ir.graph import Model, Value
from nndsl.passes.weight_layout import LayerSlots
from nndsl.runtime.slots import Slot, free_names, slots_of

_MORE_SIZES = (7, 12, 2)
_LARGE, _TINY = 1e4, 1e-4


class NoSizes(Exception):
    """No sizes of the free dimensions are found."""


@dataclass(frozen=True)
class Case:
    """A batch of inputs on which the outputs are compared. `group` is the row of the table that it belongs to."""

    name: str
    group: str
    inputs: Mapping[str, Array]


def random_weights(layers: Sequence[LayerSlots], seed: int) -> dict[str, Array]:
    """A value for every weight by canonical name, unlike its initial one: a bias of zeros would hide mistakes. Kernels
    are of a size that keeps signals about as large as they are."""
    found: dict[str, Array] = {}
    for slot in (slot for layer in layers for slot in layer.slots):
        name = slot.path.rpartition("/")[2]
        random = np.random.default_rng([seed, *slot.path.encode()])
        value = random.normal(size=slot.shape)
        if slot.dtype.startswith(("int", "uint")):
            found[slot.path] = random.integers(1, 9, slot.shape).astype(slot.dtype)
            continue
        if slot.dtype == "bool":
            found[slot.path] = random.random(slot.shape) < 0.5
            continue
        if name.endswith(("variance", "stddev")):
            value = 0.5 + np.abs(value)
        elif name in ("gamma", "scale"):
            value = 1 + 0.2 * value
        elif "embedding" in name:
            value = 0.5 * value
        elif len(slot.shape) > 1:
            fan = slot.shape[:-2] if "depthwise" in slot.path else slot.shape[:-1]
            value = value * 1.2 / math.sqrt(max(1, math.prod(fan)))
        else:
            value = 0.2 * value
        found[slot.path] = value.astype(np.float32)
    return found


# ---------------------------------------------------------------------------------------------------- sizes


def size_sets(model: Model) -> list[Sizes]:
    """Values of the free dimensions: as the model admits, the smallest, two other ones, and unequal ones where there
    are several. The first is what everything else is done at. Raises NoSizes."""
    names = free_names(model)
    if not names:
        return [{}]
    smallest = _sizes(model, names, 1)
    if smallest is None:
        raise NoSizes(f"no sizes were found for the free dimensions of `{model.name}`")
    low = max(smallest.values())
    found = [_sizes(model, names, low + more) for more in _MORE_SIZES]
    usual = next((sizes for sizes in found if sizes is not None), smallest)
    unequal = [{**usual, name: usual[name] + 2} for name in names] if len(names) > 1 else []
    every = [usual, smallest, *found[1:2], *(sizes for sizes in unequal if _admits(model, sizes))]
    return [sizes for at, sizes in enumerate(every) if sizes is not None and sizes not in every[:at]]


def _sizes(model: Model, names: list[str], least: int) -> Sizes | None:
    try:
        return model.constraints.smallest_sizes(names, least)
    except (ValueError, DimTooComplex):
        return None


def _admits(model: Model, sizes: Sizes) -> bool:
    return all(fact.holds(sizes) for fact in model.constraints.facts())


# ---------------------------------------------------------------------------------------------------- cases


def cases(model: Model, seed: int) -> list[Case]:
    """The batches of inputs on which outputs are compared in inference."""
    sizes, *others = size_sets(model)
    batches = [model.batch] if model.batch is not None else [1, 3, 6]
    usual = batches[-1 if len(batches) == 1 else 1]
    found = [Case(f"batch {n}", "outputs", inputs(model, sizes, n, seed + n)) for n in batches]
    for more in others:
        said = ", ".join(f"{name} = {size}" for name, size in more.items())
        found.append(Case(said, "free sizes", inputs(model, more, usual, seed)))
    found += _masked(model, sizes, seed)
    found += _extreme(model, sizes, usual, seed)
    return found


def inputs(model: Model, sizes: Sizes, rows: int, seed: int) -> dict[str, Array]:
    return {slot.name: _input(slot, sizes, rows, seed) for slot in slots_of(model) if slot.what == "input"}


def samples(model: Model, sizes: Sizes, rows: int, seed: int) -> dict[str, Array]:
    """Inputs, some of them with padding where there are masks, and targets that suit the losses."""
    given = inputs(model, sizes, rows, seed)
    given |= {name: _padded(given[name], value, _some_padding) for name, value in padding(model).items()}
    targets = {slot.name: target(model, slot, sizes, rows, seed) for slot in slots_of(model) if slot.what == "output"}
    return given | targets


def _input(slot: Slot, sizes: Sizes, rows: int, seed: int) -> Array:
    random, shape = seeded(slot, seed), shape_of(slot, sizes, rows)
    dtype = slot.type.dtype
    if slot.type.is_float:
        return random.normal(size=shape).astype(np.float32)
    if dtype == "bool":
        return random.random(shape) < 0.5
    first = 1 if slot.ids and slot.ids[3] and _count(slot) > 1 else 0
    return random.integers(first, _count(slot), shape).astype(dtype)


def _count(slot: Slot) -> int:
    """How many different integers an input takes."""
    return min(slot.ids[0] if slot.ids else 10, 127 if slot.type.dtype == "int8" else 2**31 - 1)


# ------------------------------------------------------------------------------------------------ padding


def padding(model: Model) -> dict[str, float]:
    """The inputs whose steps can be masked: the value that says so, by name."""
    found: dict[str, float] = {s.name: 0 for s in slots_of(model) if s.what == "input" and s.ids and s.ids[3]}
    for item in model.inputs:
        for config in _read_by(item.value):
            if (value := getattr(config, "mask_value", None)) is not None and item.value.type.rank > 2:
                found[item.name] = float(value)
    return found


def _read_by(value: Value) -> Iterator[Any]:
    for node in value.uses:
        if node.port:
            for result in node.results:
                yield from _read_by(result)
        else:
            yield node.config


def _masked(model: Model, sizes: Sizes, seed: int) -> Iterator[Case]:
    padded = padding(model)
    if not padded:
        return
    rows = model.batch or 5
    given = inputs(model, sizes, rows, seed + 20)
    for name, pattern in (("padding at the end", _at_the_end), ("holes and empty rows", _holes)):
        changed = {key: _padded(given[key], value, pattern) for key, value in padded.items()}
        yield Case(name, "masks", {**given, **changed})


def _padded(array: Array, value: float, pattern: Any) -> Array:
    """The array [batch, time, …] with some of its steps written as `value`."""
    result = array.copy()
    for row in range(len(array)):
        for step in pattern(row, array.shape[1]):
            result[row, step] = value
    return result


def _at_the_end(row: int, steps: int) -> Iterator[int]:
    """Each row is shorter than the one before; the first is whole, none is empty."""
    yield from range(max(1, steps - row), steps)


def _holes(row: int, steps: int) -> Iterator[int]:
    """All of the first row, nothing of the second, then the beginning, the middle, every other step."""
    match row % 5:
        case 0:
            yield from range(steps)
        case 2:
            yield from range(min(2, steps - 1))
        case 3:
            yield from range(steps // 3, max(steps // 3, steps - 1))
        case 4:
            yield from range(0, steps, 2)


def _some_padding(row: int, steps: int) -> Iterator[int]:
    """A whole row, one that ends early, one with a hole; none is empty."""
    if row % 3 == 1:
        yield from range(max(1, steps - 2), steps)
    elif row % 3 == 2 and steps > 2:
        yield 1


# ---------------------------------------------------------------------------------------------- extreme values


def _extreme(model: Model, sizes: Sizes, rows: int, seed: int) -> Iterator[Case]:
    slots = [slot for slot in slots_of(model) if slot.what == "input"]
    given = inputs(model, sizes, rows, seed + 30)
    if any(slot.type.is_float for slot in slots):
        for name, factor in (("zeros", 0.0), (f"numbers about {_LARGE:g}", _LARGE), (f"about {_TINY:g}", _TINY)):
            scaled = {s.name: (given[s.name] * np.float32(factor)) if s.type.is_float else given[s.name] for s in slots}
            yield Case(name, "extreme values", scaled)
    if any(not slot.type.is_float for slot in slots):
        for name, last in (("first ids", False), ("last ids", True)):
            edge = {s.name: given[s.name] if s.type.is_float else _edge(s, given[s.name], last) for s in slots}
            yield Case(name, "extreme values", edge)


def _edge(slot: Slot, array: Array, last: bool) -> Array:
    if array.dtype == bool:
        return np.full_like(array, last)
    return np.full_like(array, _count(slot) - 1 if last else 1 if slot.ids and slot.ids[3] else 0)
