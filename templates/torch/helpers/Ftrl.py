from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim


class Ftrl(optim.Optimizer):
    """Follow the regularized leader, as in Keras: a weight is what its past gradients
    ask for, with l1 and l2 penalties of its own."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        power: float = -0.5,
        start: float = 0.1,
        l1: float = 0.0,
        l2: float = 0.0,
        shrinkage: float = 0.0,
        beta: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "power": power, "start": start, "l1": l1, "l2": l2}
        super().__init__(params, {**defaults, "shrinkage": shrinkage, "beta": beta})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            lr, power, l1 = group["lr"], -group["power"], group["l1"]
            l2 = group["l2"] + group["beta"] / (2 * lr)
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["accumulator"] = torch.full_like(p, group["start"])
                    state["linear"] = torch.zeros_like(p)
                before = state["accumulator"].pow(power)
                after = state["accumulator"].addcmul_(p.grad, p.grad).pow(power)
                linear = state["linear"].add_(p.grad + 2 * group["shrinkage"] * p)
                linear.sub_((after - before) / lr * p)
                p.copy_((linear.clamp(-l1, l1) - linear) / (after / lr + 2 * l2))
        return loss
