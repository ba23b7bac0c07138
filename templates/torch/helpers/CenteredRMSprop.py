from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim


class CenteredRMSprop(optim.Optimizer):
    """RMSprop by the variance in place of the mean square, as in Keras, with epsilon
    inside the root (torch adds it outside)."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        rho: float,
        epsilon: float,
        momentum: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "epsilon": epsilon, "momentum": momentum}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            lr, rho, epsilon = group["lr"], group["rho"], group["epsilon"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    for name in ("velocity", "average_gradient"):
                        state[name] = torch.zeros_like(p)
                square = state["velocity"]
                square.mul_(rho).addcmul_(p.grad, p.grad, value=1 - rho)
                mean = state["average_gradient"].mul_(rho).add_(p.grad, alpha=1 - rho)
                change = lr * p.grad / (square + epsilon - mean.square()).sqrt()
                if group["momentum"]:
                    last = state.setdefault("momentum", torch.zeros_like(p))
                    change = last.mul_(group["momentum"]).add_(change)
                p.sub_(change)
        return loss
