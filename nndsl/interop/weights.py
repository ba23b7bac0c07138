"""Weight files: safetensors with canonical names ("layer/kernel") in Keras's layout, whatever the framework.

The metadata has one entry, `nndsl`, a JSON object: `version`, `layout` ("keras"), `model`, and what the transforms of
its data have learnt (`transforms`). One entry, because safetensors writes several in no fixed order, and equal weights
are to give equal files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from nndsl.files import write_bytes
from nndsl.layers.emit import StateEntry, Step

FORMAT = "nndsl"
VERSION = 1


class WrongWeights(Exception):
    """A weight file that cannot be used; the text says why."""


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
    """Sets the model's weights from canonical ones. Raises WrongWeights where one is missing or has another shape."""
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
            tensors[entry.key].copy_(apply_steps(weights[entry.path], entry.steps))


def save_weights(path: str, weights: Mapping[str, Tensor], *, model: str, transforms: Any = None) -> None:
    """Writes the file as a whole or not at all. Raises nndsl.files.CannotWrite."""
    about = {"version": VERSION, "layout": "keras", "model": model, "transforms": transforms or {}}
    metadata = {FORMAT: json.dumps(about, sort_keys=True)}
    write_bytes(path, save(dict(sorted(weights.items())), metadata))


def read_weights(path: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights of a file by canonical name, and what is said about them. Raises WrongWeights, OSError."""
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(FORMAT, "null"))
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise WrongWeights(f"it is no safetensors file: {error}") from None
    except ValueError:
        about = None
    if not isinstance(about, dict):
        raise WrongWeights("it was not written by nndsl")
    if about.get("version") != VERSION:
        raise WrongWeights(f"it has version {about.get('version')!r}, and this nndsl reads version {VERSION}")
    return weights, about


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
