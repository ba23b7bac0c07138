"""The canonical names of an optimizer's state: what Keras's optimizer keeps, in Keras's layout.

    optimizer/iterations               the number of batches so far (int64)
    optimizer/learning_rate            where no schedule gives it
    optimizer/<layer>/<weight>/<slot>  as "optimizer/dense/kernel/momentum": the slots that the catalogue's entry names
    optimizer/<name>                   what Keras keeps once (Nadam's `u_product`)

No framework is needed here; `plan` goes to the workers of Keras as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nndsl.layers.optimizing import Optimizer, Slot

PREFIX = "optimizer/"
ITERATIONS, LEARNING_RATE = PREFIX + "iterations", PREFIX + "learning_rate"


def slot_name(path: str, slot: Slot) -> str:
    """The canonical name of a slot of the weight at `path`."""
    return f"{PREFIX}{path}/{slot.name}"


def plan(entry: Optimizer, weights: Sequence[tuple[str, tuple[int, ...]]]) -> dict[str, Any]:
    """What Keras keeps for each weight, as plain data: `in_order` needs the order of the weights besides. `weights` are
    path ("layer/kernel") and shape of what training changes."""
    rows = {
        path: [[slot_name(path, slot) if slot.name else None for slot in row] for row in entry.all_slots(path, shape)]
        for path, shape in weights
    }
    head = [ITERATIONS] if entry.schedule is not None else [ITERATIONS, LEARNING_RATE]
    return {"head": head, "rows": rows, "tail": [PREFIX + slot.name for slot in entry.common_slots]}


def in_order(plan: Mapping[str, Any], paths: Sequence[str]) -> list[str | None]:
    """The canonical name of each of `optimizer.variables` of Keras, in its order; `paths` are those of the model's
    `trainable_variables`, in their order. None is a variable that holds nothing."""
    names: list[str | None] = list(plan["head"])
    for row in range(max((len(plan["rows"][path]) for path in paths), default=0)):
        for path in paths:
            names += plan["rows"][path][row]
    return [*names, *plan["tail"]]


def keras_names(entry: Optimizer, weights: Sequence[tuple[str, tuple[int, ...]]]) -> list[str | None]:
    """As `in_order`, where the order of the weights is known."""
    return in_order(plan(entry, weights), [path for path, _ in weights])


def shapes_of(entry: Optimizer, weights: Sequence[tuple[str, tuple[int, ...]]]) -> dict[str, tuple[int, ...]]:
    """The shape of each part of the state, by canonical name."""
    found: dict[str, tuple[int, ...]] = {ITERATIONS: ()}
    if entry.schedule is None:
        found[LEARNING_RATE] = ()
    for path, shape in weights:
        for row in entry.all_slots(path, shape):
            found |= {slot_name(path, slot): reduced_shape(shape, slot.without) for slot in row if slot.name}
    return found | {PREFIX + slot.name: () for slot in entry.common_slots}


def reduced_shape(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """The shape without one axis; 0: as it is."""
    sizes = list(shape)
    if axis:
        del sizes[axis]
    return tuple(sizes)


def counts_steps(entry: Optimizer) -> bool:
    """Whether the number of batches so far matters for how training goes on."""
    gathers = entry.gradient_accumulation_steps is not None
    return entry.counts or entry.schedule is not None or gathers or entry.use_ema
