from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim


class Lion(optim.Optimizer):
    """Lion: steps of one size, in the direction of a mean of past gradients."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, betas: tuple[float, float]
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas})

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
                    state["momentum"] = torch.zeros_like(p)
                mean = state["momentum"]
                ahead = beta_1 * mean + (1 - beta_1) * p.grad
                p.sub_(ahead.sign(), alpha=group["lr"])
                mean.mul_(beta_2).add_(p.grad, alpha=1 - beta_2)
        return loss
