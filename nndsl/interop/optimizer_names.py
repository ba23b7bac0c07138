"""The canonical names of an optimizer's state: what Keras's optimizer keeps, in Keras's layout.

    optimizer/iterations               the number of batches so far (int64)
    optimizer/learning_rate            where no schedule gives it
    optimizer/<layer>/<weight>/<slot>  as "optimizer/dense/kernel/momentum": the slots that the catalogue's entry names
    optimizer/<name>                   what Keras keeps once (Nadam's `u_product`)

Each optimizer of a MultiOptimizer has what is kept once under its number, the default one's is the last:
`optimizer/1/learning_rate`. All of them count the same batches.

No framework is needed here; `plan` goes to the workers of Keras as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nndsl.layers.families.optimizer_maps import MultiOptimizer
from nndsl.records import record

if TYPE_CHECKING:
    from nndsl.layers.optimizing import Optimizer, Slot

PREFIX = "optimizer/"
ITERATIONS, LEARNING_RATE = PREFIX + "iterations", PREFIX + "learning_rate"


def slot_name(path: str, slot: Slot) -> str:
    """The canonical name of a slot of the weight at `path`."""
    return f"{PREFIX}{path}/{slot.name}"


@record
class Part:
    """One optimizer with its weights (path and shape); `prefix` is that of what is kept once."""

    entry: Optimizer
    prefix: str
    weights: list[tuple[str, tuple[int, ...]]]

    @property
    def learning_rate(self) -> list[str]:
        return [] if self.entry.schedule is not None else [f"{self.prefix}learning_rate"]


def parts_of(entry: Optimizer, weights: Iterable[tuple[str, tuple[int, ...]]]) -> list[Part]:
    """The optimizers that `entry` stands for: itself, or those of a MultiOptimizer in Keras's order."""
    if not isinstance(entry, MultiOptimizer):
        return [Part(entry, PREFIX, list(weights))]
    shapes = dict(weights)
    return [
        Part(part, f"{PREFIX}{number}/", [(path, shapes[path]) for path in paths])
        for number, (part, paths) in enumerate(entry.parts(shapes), 1)
    ]


def plan(entry: Optimizer, weights: Sequence[tuple[str, tuple[int, ...]]]) -> dict[str, Any]:
    """What Keras keeps for each weight, as plain data: `in_order` needs the order of the weights besides. `weights` are
    path ("layer/kernel") and shape of what training changes."""
    parts = []
    for part in parts_of(entry, weights):
        head: list[str | None] = [ITERATIONS, *part.learning_rate]
        parts.append(
            {
                "head": head if part.weights else [None] * len(head),  # Keras never gets to use it
                "rows": {path: _rows(part.entry, path, shape) for path, shape in part.weights},
                "tail": [part.prefix + slot.name for slot in part.entry.common_slots if part.weights],
            }
        )
    # A MultiOptimizer has a learning rate of 0 that nothing uses.
    return {"own": [ITERATIONS, None] if isinstance(entry, MultiOptimizer) else [], "parts": parts}


def _rows(entry: Optimizer, path: str, shape: tuple[int, ...]) -> list[list[str | None]]:
    return [[slot_name(path, slot) if slot.name else None for slot in row] for row in entry.all_slots(path, shape)]


def in_order(plan: Mapping[str, Any], paths: Sequence[str]) -> list[str | None]:
    """The canonical name of each of `optimizer.variables` of Keras, in its order; `paths` are those of the model's
    `trainable_variables`, in their order. None is a variable that holds nothing; what all optimizers of a
    MultiOptimizer count has several variables."""
    names: list[str | None] = list(plan["own"])
    for part in plan["parts"]:
        rows = [part["rows"][path] for path in paths if path in part["rows"]]
        names += part["head"]
        for number in range(max(map(len, rows), default=0)):
            for row in rows:
                names += row[number]
        names += part["tail"]
    return names


def keras_names(entry: Optimizer, weights: Sequence[tuple[str, tuple[int, ...]]]) -> list[str | None]:
    """As `in_order`, where the order of the weights is known."""
    return in_order(plan(entry, weights), [path for path, _ in weights])


def shapes_of(entry: Optimizer, weights: Sequence[tuple[str, tuple[int, ...]]]) -> dict[str, tuple[int, ...]]:
    """The shape of each part of the state, by canonical name."""
    found: dict[str, tuple[int, ...]] = {ITERATIONS: ()}
    for part in parts_of(entry, weights):
        if not part.weights:
            continue
        found |= dict.fromkeys(part.learning_rate, ())
        for path, shape in part.weights:
            for row in part.entry.all_slots(path, shape):
                found |= {slot_name(path, slot): reduced_shape(shape, slot.without) for slot in row if slot.name}
        found |= {part.prefix + slot.name: () for slot in part.entry.common_slots}
    return found


def reduced_shape(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """The shape without one axis; 0: as it is."""
    sizes = list(shape)
    if axis:
        del sizes[axis]
    return tuple(sizes)


def counts_steps(entry: Optimizer) -> bool:
    """Whether the number of batches so far matters for how training goes on."""
    if isinstance(entry, MultiOptimizer):
        return any(counts_steps(part) for number, part in enumerate(entry.optimizers) if number in entry.used)
    gathers = entry.gradient_accumulation_steps is not None
    return entry.counts or entry.schedule is not None or gathers or entry.use_ema
