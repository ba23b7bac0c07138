from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim


class SGD(optim.Optimizer):
    """Momentum that holds the learning rate of each step, as in Keras: v = m v - lr g
    (torch.optim.SGD multiplies the whole of v by the present rate)."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                p.add_(state["momentum"].mul_(momentum).sub_(p.grad, alpha=lr))
        return loss
