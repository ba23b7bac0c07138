from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim


class ScheduleFreeAdamW(optim.Optimizer):
    """AdamW that needs no schedule, as in Keras: a weight stands between where the
    gradients lead and the mean of all places so far."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float],
        epsilon: float,
        warmup_steps: int = 0,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "epsilon": epsilon}
        super().__init__(params, {**defaults, "warmup_steps": warmup_steps})

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
                    state.update(step=0, momentum=p.clone(), velocity=zeros)
                step = state["step"] = state["step"] + 1
                rate = group["lr"]
                if step < group["warmup_steps"]:
                    rate *= step / group["warmup_steps"]
                square = state["velocity"].lerp_(p.grad.square(), 1 - beta_2)
                root = (square / (1 - beta_2**step)).sqrt() + group["epsilon"]
                place = state["momentum"].sub_(rate * p.grad / root)
                mean = (p - (1 - beta_1) * place) / beta_1  # Keras takes the new place
                mean.lerp_(place, 1 / step)
                p.copy_((1 - beta_1) * place + beta_1 * mean)
        return loss
