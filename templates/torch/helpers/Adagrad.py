from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim


class Adagrad(optim.Optimizer):
    """Adagrad as in Keras, with epsilon inside the root (torch adds it outside)."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, start: float, epsilon: float
    ) -> None:
        super().__init__(params, {"lr": lr, "start": start, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            lr, epsilon = group["lr"], group["epsilon"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["accumulator"] = torch.full_like(p, group["start"])
                total = state["accumulator"].addcmul_(p.grad, p.grad)
                p.sub_(lr * p.grad / (total + epsilon).sqrt())
        return loss
