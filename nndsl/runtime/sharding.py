"""Weights that several processes share among them (FSDP2): each holds a piece of each, and of the optimizer's state.

A checkpoint has them whole, as one process would write it, so that a run goes on with any number of processes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from nndsl.runtime.report import Unavailable
from nndsl.runtime.trees import walk


def sharded(net: nn.Module, device: torch.device, *, penalised: bool) -> nn.Module:
    """The model divided among all processes: blocks in a row each by itself, so that they are whole only while they
    compute, and all else together. `penalised`: the loss reads weights outside of their layers, and all of them must be
    whole meanwhile. Raises Unavailable where the model cannot be divided."""
    mesh = init_device_mesh(device.type, (torch.distributed.get_world_size(),))
    warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view")  # nothing changes it in place
    rows = [module for module in net.modules() if isinstance(module, nn.Sequential | nn.ModuleList)]
    blocks = [] if penalised else [block for row in rows for block in row if any(True for _ in block.parameters())]
    try:
        for block in reversed(blocks):  # what lies inside first
            fully_shard(block, mesh=mesh)
        fully_shard(net, mesh=mesh, reshard_after_forward=False)
    except (ValueError, NotImplementedError, RuntimeError) as error:
        raise Unavailable(
            f"the model cannot be divided: {str(error).splitlines()[0]}",
            "leave --shard out: every process holds it whole",
        ) from None
    return net


def whole(tree: Any) -> Any:
    """The tree with whole tensors in the place of pieces: all."""
    return walk(tree, lambda value: value.full_tensor() if isinstance(value, DTensor) else value)


def sharded_state(state: Mapping[str, Any], net: nn.Module, optimizer: Any) -> dict[str, Any]:
    """The state of weights and optimizer, cut as they are: all."""
    own = net.state_dict()
    weights = {name: _cut(value, own[name]) for name, value in state["weights"].items()}
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    numbered = {
        number: {key: _cut(value, parameters[number]) for key, value in kept.items()}
        for number, kept in state["optimizer"]["state"].items()
    }
    groups = [
        {key: _cut_list(value, group["params"]) for key, value in kept.items()}
        for kept, group in zip(state["optimizer"]["param_groups"], optimizer.param_groups, strict=True)
    ]
    return {"weights": weights, "optimizer": {"state": numbered, "param_groups": groups}}


def _cut_list(value: Any, parameters: list[Tensor]) -> Any:
    """What hooks of the optimizer keep: a list with a tensor for each parameter."""
    if isinstance(value, list) and len(value) == len(parameters) and all(isinstance(item, Tensor) for item in value):
        return [_cut(item, parameter) for item, parameter in zip(value, parameters, strict=True)]
    return value


def _cut(value: Any, like: Any) -> Any:
    if isinstance(value, Tensor) and isinstance(like, DTensor) and value.shape == like.shape:
        return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)
    return value
