"""What makes a GPU faster without changing what is computed, but for the order of sums; and the same at every run."""

from __future__ import annotations

import os
import warnings
from typing import Any

import torch
from torch import nn, optim

_FUSED = (optim.Adam, optim.AdamW, optim.SGD, optim.Adagrad)
_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def arranged(net: nn.Module, device: torch.device) -> nn.Module:
    """The model with its convolutions' weights as the GPU likes them: the data come with the channels last, and stay
    so."""
    if device.type == "cuda" and any(isinstance(module, _CONVOLUTIONS) for module in net.modules()):
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
    return net


def repeat_itself(device: torch.device) -> None:
    """Has a GPU give the same bits to the same seed, wherever PyTorch has code that does. Before its first use."""
    if device.type != "cuda":
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing that is emitted reads memory before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")


def fuse(optimizer: Any, device: torch.device) -> None:
    """Has torch's own optimizers take a step in one kernel."""
    if device.type != "cuda" or type(optimizer) not in _FUSED:
        return
    for group in optimizer.param_groups:
        if not group.get("differentiable"):
            group["fused"], group["foreach"] = True, False
    settle(optimizer)


def settle(optimizer: Any) -> None:
    """After a state was put back: what belongs to a weight lies in memory as the weight does, for a fused step goes
    through both in order; and the count of steps lies where a fused optimizer looks for it."""
    fused = {parameter for group in optimizer.param_groups if group.get("fused") for parameter in group["params"]}
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if not isinstance(value, torch.Tensor):
                continue
            if name == "step" and parameter in fused:
                state[name] = value.to(parameter.device, torch.float32)
            elif value.shape == parameter.shape and value.stride() != parameter.stride():
                state[name] = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
