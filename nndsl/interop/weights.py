"""The weights of an emitted torch module by canonical name ("layer/kernel"), in Keras's layout, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from nndsl.interop.problem import WrongWeights
from nndsl.layers.emit import StateEntry, Step

__all__ = ["WrongWeights", "apply_steps", "canonical", "put"]


def canonical(model: nn.Module, state: Iterable[StateEntry]) -> dict[str, Tensor]:
    """The model's weights by canonical name, in Keras's layout, on the CPU."""
    tensors = model.state_dict()
    found: dict[str, Tensor] = {}
    for entry in state:
        tensor = tensors[entry.key].detach().cpu()
        whole = found.get(entry.path)
        if whole is None:
            whole = found[entry.path] = torch.zeros(entry.shape, dtype=tensor.dtype)
        _undo(tensor, entry.steps, whole)
    return {name: tensor.contiguous() for name, tensor in found.items()}


def put(model: nn.Module, state: Iterable[StateEntry], weights: Mapping[str, Tensor]) -> None:
    """Sets the model's weights from canonical ones. Raises WrongWeights where one is missing or has another shape, and
    LookupError where `state` does not say what the model has: a bug of the compiler."""
    entries = list(state)
    wanted = {entry.path: entry.shape for entry in entries}
    for path, shape in wanted.items():
        if path not in weights:
            raise WrongWeights(f"there is no weight `{path}`")
        if tuple(weights[path].shape) != shape:
            raise WrongWeights(f"`{path}` has the shape {tuple(weights[path].shape)}, and the model's has {shape}")
    if extra := sorted(set(weights) - set(wanted)):
        raise WrongWeights(f"the model has no weight `{extra[0]}`")
    tensors = model.state_dict()
    with torch.no_grad():
        for entry in entries:
            tensor, value = tensors[entry.key], apply_steps(weights[entry.path], entry.steps)
            if tensor.shape != value.shape:
                raise LookupError(f"{entry.key} has the shape {[*tensor.shape]}, not {[*value.shape]}")
            tensor.copy_(value)


# --------------------------------------------------------------------------------------------------- steps


def apply_steps(tensor: Tensor, steps: Iterable[Step]) -> Tensor:
    """A weight in Keras's layout as the emitted module holds it (see `TorchWeight.steps`)."""
    for kind, numbers in steps:
        match kind:
            case "permute":
                tensor = tensor.permute(numbers)
            case "reshape":
                tensor = tensor.reshape(numbers)
            case "take":
                tensor = tensor[numbers[0]]
            case "blocks":
                parts = tensor.chunk(len(numbers))
                tensor = torch.cat([parts[number] for number in numbers])
    return tensor


def _undo(tensor: Tensor, steps: tuple[Step, ...], whole: Tensor) -> None:
    """Writes a tensor of the module into the weight `whole`: the steps on the places instead of the values."""
    places = apply_steps(torch.arange(whole.numel()).reshape(whole.shape), steps)
    whole.view(-1)[places.reshape(-1)] = tensor.reshape(-1)
