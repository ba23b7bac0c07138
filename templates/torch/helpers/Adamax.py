from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from templates.torch.helpers.Optimizer import Optimizer


class Adamax(Optimizer):
    """Adamax as in Keras, with epsilon added to the largest gradient so far."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float],
        epsilon: float,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "epsilon": epsilon})

    def update(
        self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        if not state:
            state.update(step=0, mean=torch.zeros_like(p), largest=torch.zeros_like(p))
        state["step"] += 1
        beta_1, beta_2 = group["betas"]
        mean = state["mean"].lerp_(grad, 1 - beta_1)
        largest = state["largest"].mul_(beta_2)
        torch.maximum(largest, grad.abs(), out=largest)
        rate = group["lr"] / (1 - beta_1 ** state["step"])
        p.sub_(rate * mean / (largest + group["epsilon"]))
