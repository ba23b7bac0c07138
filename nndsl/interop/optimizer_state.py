"""The state of an optimizer under canonical names, whatever the framework: what Keras's optimizer keeps, in Keras's
layout.

    optimizer/iterations               the number of batches so far (int64)
    optimizer/learning_rate            where no schedule gives it
    optimizer/<layer>/<weight>/<slot>  as "optimizer/dense/kernel/momentum": the slots that the catalogue's entry names
    optimizer/<name>                   what Keras keeps once (Nadam's `u_product`)

An emitted torch program's `make_optimizer(model)` gives the optimizer; its `load_state_dict` reads a saved state first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn, optim

from nndsl.interop.weights import WrongWeights, apply_steps, undo_steps
from nndsl.layers.emit import StateEntry
from nndsl.layers.optimizing import Optimizer, Slot

PREFIX = "optimizer/"
ITERATIONS, LEARNING_RATE = PREFIX + "iterations", PREFIX + "learning_rate"


def keras_names(entry: Optimizer, weights: Sequence[tuple[str, tuple[int, ...]]]) -> list[str | None]:
    """The canonical name of each of `optimizer.variables` of Keras, in its order. `weights` are path ("layer/kernel")
    and shape of the model's `trainable_variables`, in their order. None is a variable that holds nothing."""
    names: list[str | None] = [ITERATIONS]
    if entry.schedule is None:
        names.append(LEARNING_RATE)
    kept = [(path, entry.slots(path, shape)) for path, shape in weights]
    for row in range(max((len(rows) for _, rows in kept), default=0)):
        for path, rows in kept:
            names += [_name(path, slot) for slot in rows[row]]
    return [*names, *(PREFIX + slot.name for slot in entry.common_slots)]


def canonical_state(
    entry: Optimizer, model: nn.Module, optimizer: optim.Optimizer, state: Iterable[StateEntry]
) -> dict[str, Tensor]:
    """The optimizer's state by canonical name, on the CPU. `entry` is what the text says of the optimizer
    (`Model.training.optimizer`), `state` what each tensor of the model holds. `optimizer/iterations` is left out where
    the optimizer does not count its steps (SGD without a schedule)."""
    found: dict[str, Tensor] = {}
    count = _iterations(entry, optimizer)
    if count is not None:
        found[ITERATIONS] = torch.tensor(count)
    own = _torch_own(optimizer)
    for path, group, parts in _weights(model, optimizer, state):
        first = parts[0][0]
        if entry.schedule is None:
            found[LEARNING_RATE] = torch.tensor(float(group["lr"]), dtype=first.dtype)
        for slot in _slots(entry, path, parts[0][1].shape):
            whole = torch.full(parts[0][1].shape, slot.start, dtype=first.dtype)
            for parameter, item in parts:
                value = optimizer.state.get(parameter, {}).get(_key(slot, own))
                if value is not None:
                    scaled = value.detach().cpu() * (-group["lr"] if own and slot.per_rate else 1)
                    undo_steps(scaled, item.steps, whole)
            found[_named(path, slot)] = whole
        for slot in entry.common_slots:
            value = optimizer.state.get(first, {}).get(_key(slot, own), slot.start)
            found[PREFIX + slot.name] = torch.as_tensor(value).detach().cpu().to(first.dtype).clone()
    return found


def put_state(
    entry: Optimizer,
    model: nn.Module,
    optimizer: optim.Optimizer,
    state: Iterable[StateEntry],
    values: Mapping[str, Tensor],
) -> None:
    """Sets the optimizer's state from canonical values. Raises WrongWeights where one is missing, has another shape or
    is not known, and changes nothing then. `optimizer/iterations` may be missing where steps are not counted."""
    weights = list(_weights(model, optimizer, state))
    _check(entry, weights, values)
    own = _torch_own(optimizer)
    count = int(values.get(ITERATIONS, torch.tensor(0)))
    for group in optimizer.param_groups:
        if entry.schedule is None:
            group["lr"] = float(values[LEARNING_RATE])
        for counter in _counters(entry, own):
            group[counter] = count
    for path, group, parts in weights:
        for parameter, item in parts:
            kept: dict[str, Any] = {}
            if entry.counts:
                kept["step"] = torch.tensor(float(count)) if own else count
            for slot in entry.common_slots:
                kept[_key(slot, own)] = values[PREFIX + slot.name].to(parameter).clone()
            for slot in _slots(entry, path, item.shape):
                value = apply_steps(values[_named(path, slot)], item.steps).to(parameter).clone()
                kept[_key(slot, own)] = value / -group["lr"] if own and slot.per_rate else value
            if kept:
                optimizer.state[parameter] = kept


# ---------------------------------------------------------------------------------------------------- parts

_Weight = tuple[str, dict[str, Any], list[tuple[nn.Parameter, StateEntry]]]


def _weights(model: nn.Module, optimizer: optim.Optimizer, state: Iterable[StateEntry]) -> Iterator[_Weight]:
    """Each weight that training changes: its path, its group, and the parameters that hold it."""
    parameters = dict(model.named_parameters(remove_duplicate=False))
    groups = {parameter: group for group in optimizer.param_groups for parameter in group["params"]}
    parts: dict[str, list[tuple[nn.Parameter, StateEntry]]] = {}
    for item in state:
        parameter = parameters.get(item.key)
        if parameter is not None and parameter.requires_grad:
            parts.setdefault(item.path, []).append((parameter, item))
    for path, held in parts.items():
        yield path, groups[held[0][0]], held


def _slots(entry: Optimizer, path: str, shape: tuple[int, ...]) -> list[Slot]:
    return [slot for row in entry.slots(path, shape) for slot in row if slot.name]


def _name(path: str, slot: Slot) -> str | None:
    return _named(path, slot) if slot.name else None


def _named(path: str, slot: Slot) -> str:
    return f"{PREFIX}{path}/{slot.name}"


def _torch_own(optimizer: optim.Optimizer) -> bool:
    """Whether the emitted program has taken torch's own class."""
    return type(optimizer).__module__.startswith("torch.optim")


def _key(slot: Slot, own: bool) -> str:
    return slot.torch if own else slot.name


def _counters(entry: Optimizer, own: bool) -> list[str]:
    """The counters of batches that hooks keep in each group."""
    return ["steps"] * (entry.schedule is not None) + ["count"] * (own and entry.early_epsilon)


def _iterations(entry: Optimizer, optimizer: optim.Optimizer) -> int | None:
    """The number of batches so far, or None where the optimizer does not count them."""
    for counter in _counters(entry, _torch_own(optimizer)):
        return int(optimizer.param_groups[0].get(counter, 0))
    if entry.counts:
        return max((int(kept["step"]) for kept in optimizer.state.values() if "step" in kept), default=0)
    return None


def _check(entry: Optimizer, weights: Sequence[_Weight], values: Mapping[str, Tensor]) -> None:
    shapes: dict[str, tuple[int, ...]] = {ITERATIONS: ()}
    if entry.schedule is None:
        shapes[LEARNING_RATE] = ()
    shapes |= {PREFIX + slot.name: () for slot in entry.common_slots}
    for path, _, parts in weights:
        shape = parts[0][1].shape
        shapes |= {_named(path, slot): shape for slot in _slots(entry, path, shape)}
    counted = entry.counts or entry.schedule is not None
    for name, shape in shapes.items():
        if name not in values:
            if name == ITERATIONS and not counted:
                continue
            raise WrongWeights(f"there is no `{name}`")
        if tuple(values[name].shape) != shape:
            raise WrongWeights(f"`{name}` has the shape {tuple(values[name].shape)}, and the optimizer's has {shape}")
    if extra := sorted(set(values) - set(shapes)):
        raise WrongWeights(f"the optimizer has no `{extra[0]}`")
