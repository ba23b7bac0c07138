from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim

from templates.torch.helpers.as_float32 import as_float32


class Adamax(optim.Optimizer):
    """Adamax as in Keras, with epsilon added to the largest gradient so far."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float],
        epsilon: float,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            beta_1, beta_2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    zeros = torch.zeros_like(p)
                    state.update(step=0, momentum=zeros, norm=zeros.clone())
                state["step"] += 1
                mean = state["momentum"].lerp_(p.grad, 1 - beta_1)
                largest = state["norm"].mul_(beta_2)
                torch.maximum(largest, p.grad.abs(), out=largest)
                rate = group["lr"] / (1 - as_float32(beta_1) ** state["step"])
                p.sub_(rate * mean / (largest + group["epsilon"]))
        return loss
