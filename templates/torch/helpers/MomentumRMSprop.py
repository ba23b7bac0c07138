from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim


class MomentumRMSprop(optim.Optimizer):
    """RMSprop as in Keras, with epsilon inside the root (torch adds it outside), and
    with momentum."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        rho: float,
        epsilon: float,
        momentum: float,
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
                    state.update(
                        velocity=torch.zeros_like(p), momentum=torch.zeros_like(p)
                    )
                square = state["velocity"]
                square.mul_(rho).addcmul_(p.grad, p.grad, value=1 - rho)
                change = lr * p.grad / (square + epsilon).sqrt()
                p.sub_(state["momentum"].mul_(group["momentum"]).add_(change))
        return loss
