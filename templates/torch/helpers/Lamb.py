from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim

from templates.torch.helpers.as_float32 import as_float32


class Lamb(optim.Optimizer):
    """LAMB: Adam whose steps are as long as the weight itself, times the rate."""

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
                    state.update(step=0, momentum=zeros, velocity=zeros.clone())
                step = state["step"] = state["step"] + 1
                mean = state["momentum"].lerp_(p.grad, 1 - beta_1)
                square = state["velocity"].lerp_(p.grad.square(), 1 - beta_2)
                root = (square / (1 - as_float32(beta_2) ** step)).sqrt()
                change = mean / (1 - as_float32(beta_1) ** step)
                change /= root + group["epsilon"]
                ratio = p.norm() / change.norm()
                ratio = torch.where(ratio.isfinite() & (ratio > 0), ratio, 1.0)
                p.sub_(ratio * group["lr"] * change)
        return loss
