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
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing that is emitted reads such memory
    warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")


def fuse(optimizer: Any, device: torch.device) -> None:
    """Has torch's own optimizers take a step in one kernel."""
    if device.type != "cuda" or type(optimizer) not in _FUSED:
        return
    for group in optimizer.param_groups:
        if not group.get("differentiable"):
            group["fused"], group["foreach"] = True, False
    bring_counters(optimizer)


def bring_counters(optimizer: Any) -> None:
    """The count of steps lies where a fused optimizer looks for it."""
    fused = {parameter for group in optimizer.param_groups if group.get("fused") for parameter in group["params"]}
    for parameter, state in optimizer.state.items():
        if parameter in fused and isinstance(state.get("step"), torch.Tensor):
            state["step"] = state["step"].to(parameter.device, torch.float32)
