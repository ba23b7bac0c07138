"""The state of an emitted torch program's optimizer under canonical names (see `optimizer_names`), and back.

The program's `make_optimizer(model)` gives the optimizer; its `load_state_dict` reads a saved state first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn, optim

from nndsl.interop.optimizer_names import (
    ITERATIONS,
    LEARNING_RATE,
    PREFIX,
    keras_names,
    reduced_shape,
    shapes_of,
)
from nndsl.interop.optimizer_names import slot_name as _named
from nndsl.interop.weights import WrongWeights, apply_steps
from nndsl.layers.emit import StateEntry, torch_shape
from nndsl.layers.families.optimizer_maps import MultiOptimizer
from nndsl.layers.optimizing import Optimizer, Slot

__all__ = ["ITERATIONS", "LEARNING_RATE", "PREFIX", "canonical_state", "keras_names", "put_state"]


def canonical_state(
    entry: Optimizer, model: nn.Module, optimizer: optim.Optimizer, state: Iterable[StateEntry]
) -> dict[str, Tensor]:
    """The optimizer's state by canonical name, on the CPU. `entry` is what the text says of the optimizer
    (`Model.training.optimizer`), `state` what each tensor of the model holds. `optimizer/iterations` is left out where
    the optimizer does not count its steps (SGD without a schedule)."""
    state = list(state)
    found: dict[str, Tensor] = {}
    for part, prefix, own in _parts(entry, optimizer):
        found |= _canonical(part, prefix, own, list(_weights(model, own, state)))
    return found


def _canonical(
    entry: Optimizer, prefix: str, optimizer: optim.Optimizer, weights: Sequence[_Weight]
) -> dict[str, Tensor]:
    """The same for one optimizer."""
    found: dict[str, Tensor] = {}
    count = _iterations(entry, optimizer)
    if count is not None:
        found[ITERATIONS] = torch.tensor(count)
    own = _torch_own(optimizer)
    for path, group, parts in weights:
        first, shape = parts[0][0], parts[0][1].shape
        if entry.schedule is None:
            found[f"{prefix}learning_rate"] = torch.tensor(float(group["lr"]), dtype=first.dtype)
        kept: dict[str, Tensor] = {}
        for slot in _slots(entry, path, shape):
            size = reduced_shape(shape, slot.without)
            start = torch.full(size, slot.start).to(first.dtype)  # Keras's initializers work in float32
            for parameter, places in _pieces(optimizer, parts, slot):
                value = _kept(optimizer, group, parameter, slot, own)
                if value is not None:
                    scaled = value.detach().cpu() * (-group["lr"] if own and slot.per_rate else 1)
                    start.view(-1)[places.reshape(-1)] = scaled.reshape(-1)
            kept[slot.name] = start
        if first in optimizer.state:
            kept |= entry.derived(kept)
        found |= {f"{PREFIX}{path}/{name}": value for name, value in kept.items()}
        for slot in entry.common_slots:
            once = optimizer.state.get(first, {}).get(_key(slot, own), slot.start)
            found[prefix + slot.name] = torch.tensor(float(once), dtype=first.dtype)
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
    state = list(state)
    _check(entry, optimizer, list(_weights(model, optimizer, state)), values)
    for part, prefix, own in _parts(entry, optimizer):
        _put(part, prefix, own, list(_weights(model, own, state)), values)


def _put(
    entry: Optimizer, prefix: str, optimizer: optim.Optimizer, weights: Sequence[_Weight], values: Mapping[str, Tensor]
) -> None:
    """The same for one optimizer."""
    own = _torch_own(optimizer)
    count = int(values.get(ITERATIONS, torch.tensor(0)))
    for group in optimizer.param_groups:
        if entry.schedule is None:
            group["lr"] = float(values[f"{prefix}learning_rate"])
        for counter in _counters(entry, optimizer):
            group[counter] = count
        for slot in (slot for row in entry.all_slots("", ()) for slot in row if slot.group):
            group[slot.group] = [torch.zeros_like(parameter) for parameter in group["params"]]
    for path, group, parts in weights:
        kept: dict[nn.Parameter, dict[str, Any]] = {parameter: {} for parameter, _ in _pieces(optimizer, parts)}
        for state_of in kept.values():
            if entry.counts:
                steps = count // (entry.gradient_accumulation_steps or 1)
                state_of["step"] = torch.tensor(float(steps)) if own else steps
            for slot in entry.common_slots:
                value = values[prefix + slot.name]
                state_of[_key(slot, own)] = value.to(parts[0][0]).clone() if own else value.item()
        for slot in _slots(entry, path, parts[0][1].shape):
            for parameter, places in _pieces(optimizer, parts, slot):
                value = values[_named(path, slot)].reshape(-1)[places].to(parameter)
                if slot.group:
                    group[slot.group][_index(group, parameter)] = value
                elif not slot.derived:
                    kept[parameter][_key(slot, own)] = value / -group["lr"] if own and slot.per_rate else value
        for parameter, state_of in kept.items():
            if state_of:
                optimizer.state[parameter] = state_of


# ---------------------------------------------------------------------------------------------------- parts

_Weight = tuple[str, dict[str, Any], list[tuple[nn.Parameter, StateEntry]]]


def _parts(entry: Optimizer, optimizer: optim.Optimizer) -> Iterator[tuple[Optimizer, str, optim.Optimizer]]:
    """Each optimizer at work: what the text says of it, the prefix of what it keeps once, and the emitted one."""
    if not isinstance(entry, MultiOptimizer):
        yield entry, PREFIX, optimizer
        return
    inner: Any = optimizer
    for number, own in zip(sorted(entry.used), inner.optimizers, strict=True):
        yield entry.optimizers[number], f"{PREFIX}{number + 1}/", own


def _weights(model: nn.Module, optimizer: optim.Optimizer, state: Iterable[StateEntry]) -> Iterator[_Weight]:
    """Each weight that the optimizer changes: its path, its group, and the parameters that hold it."""
    parameters = dict(model.named_parameters(remove_duplicate=False))
    groups = {parameter: group for group in optimizer.param_groups for parameter in group["params"]}
    parts: dict[str, list[tuple[nn.Parameter, StateEntry]]] = {}
    for item in state:
        parameter = parameters.get(item.key)
        if parameter is not None and parameter in groups and parameter.requires_grad:
            parts.setdefault(item.path, []).append((parameter, item))
    for path, held in parts.items():
        yield path, groups[held[0][0]], held


def _pieces(
    optimizer: optim.Optimizer, parts: Sequence[tuple[nn.Parameter, StateEntry]], slot: Slot | None = None
) -> list[tuple[nn.Parameter, Tensor]]:
    """The parameters in whose state a weight's slot is kept, and which places of the slot in Keras's layout each tensor
    there has: numbers like those of `arange(slot.numel()).reshape(slot.shape)`."""
    shape = parts[0][1].shape
    every = torch.arange(prod(shape)).reshape(shape)
    places = [apply_steps(every, item.steps) for _, item in parts]
    if not hasattr(optimizer, "views") or (slot is not None and slot.group):
        return [(parameter, where) for (parameter, _), where in zip(parts, places, strict=True)]
    seen = [_seen(where, item) for where, (_, item) in zip(places, parts, strict=True)]
    whole = seen[0] if len(seen) == 1 else torch.stack(seen)
    if slot is not None and slot.without:
        rest = list(torch.unravel_index(whole.select(slot.without, 0), shape))
        del rest[slot.without]
        whole = torch.zeros_like(rest[0])
        for size, place in zip(reduced_shape(shape, slot.without), rest, strict=True):
            whole = whole * size + place
    return [(parts[0][0], whole)]


def _seen(tensor: Tensor, item: StateEntry) -> Tensor:
    """A tensor in Keras's layout but for the order of blocks: as the helper WholeWeights sees it."""
    before = [torch_shape(item.shape, item.steps[:count]) for count in range(len(item.steps))]
    for (kind, numbers), former in zip(reversed(item.steps), reversed(before), strict=True):
        if kind == "permute":
            tensor = tensor.permute([numbers.index(axis) for axis in range(len(numbers))])
        elif kind == "reshape":
            tensor = tensor.reshape(former)
    return tensor


def _slots(entry: Optimizer, path: str, shape: tuple[int, ...]) -> list[Slot]:
    return [slot for row in entry.all_slots(path, shape) for slot in row if slot.name]


def _torch_own(optimizer: optim.Optimizer) -> bool:
    """Whether the emitted program has taken torch's own class."""
    return type(optimizer).__module__.startswith("torch.optim")


def _key(slot: Slot, own: bool) -> str:
    return slot.torch if own else slot.name


def _index(group: Mapping[str, Any], parameter: nn.Parameter) -> int:
    return next(place for place, other in enumerate(group["params"]) if other is parameter)


def _kept(
    optimizer: optim.Optimizer, group: Mapping[str, Any], parameter: nn.Parameter, slot: Slot, own: bool
) -> Tensor | None:
    """What the optimizer keeps of a slot; before the first step the weight, or None."""
    start = parameter if slot.weight else None
    if slot.group:
        kept: Tensor | None = group[slot.group][_index(group, parameter)] if slot.group in group else start
    else:
        kept = optimizer.state.get(parameter, {}).get(_key(slot, own), start)
    return kept


def _counters(entry: Optimizer, optimizer: optim.Optimizer) -> list[str]:
    """The counters of batches that hooks keep in each group."""
    counters = {
        "steps": entry.schedule is not None,
        "batches": entry.gradient_accumulation_steps is not None,
        "averaged": entry.use_ema,
        "count": isinstance(optimizer, optim.Adam),  # AdamW too
    }
    return [name for name, there in counters.items() if there]


def _iterations(entry: Optimizer, optimizer: optim.Optimizer) -> int | None:
    """The number of batches so far, or None where the optimizer does not count them."""
    if isinstance(entry, MultiOptimizer):
        counts = [_iterations(part, own) for part, _, own in _parts(entry, optimizer)]
        return next((count for count in counts if count is not None), None)
    for counter in _counters(entry, optimizer):
        return int(optimizer.param_groups[0].get(counter, 0))
    if entry.counts:
        return max((int(kept["step"]) for kept in optimizer.state.values() if "step" in kept), default=0)
    return None


def _check(
    entry: Optimizer, optimizer: optim.Optimizer, weights: Sequence[_Weight], values: Mapping[str, Tensor]
) -> None:
    shapes = shapes_of(entry, [(path, parts[0][1].shape) for path, _, parts in weights])
    for name, shape in shapes.items():
        if name not in values:
            if name == ITERATIONS and _iterations(entry, optimizer) is None:
                continue
            raise WrongWeights(f"there is no `{name}`")
        if tuple(values[name].shape) != shape:
            raise WrongWeights(f"`{name}` has the shape {tuple(values[name].shape)}, and the optimizer's has {shape}")
    if extra := sorted(set(values) - set(shapes)):
        raise WrongWeights(f"the optimizer has no `{extra[0]}`")
