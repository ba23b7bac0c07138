from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim

from templates.torch.helpers.as_float32 import as_float32


class Nadam(optim.Optimizer):
    """Nadam as in Keras, which knows most of its numbers as float32."""

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
            beta_1, beta_2, fade = map(as_float32, (*group["betas"], 0.96))
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(step=0, u_product=1.0)
                    state.update(momentum=torch.zeros_like(p))
                    state.update(velocity=torch.zeros_like(p))
                step = state["step"] = state["step"] + 1
                state["u_product"] *= group["betas"][0] * (1 - 0.5 * 0.96**step)
                past = state["u_product"]
                now = beta_1 * (1 - 0.5 * fade**step)
                ahead = beta_1 * (1 - 0.5 * fade ** (step + 1))
                mean = state["momentum"].lerp_(p.grad, 1 - beta_1)
                square = state["velocity"].lerp_(p.grad.square(), 1 - beta_2)
                change = ahead * mean / (1 - past * ahead)
                change += (1 - now) * p.grad / (1 - past)
                root = (square / (1 - beta_2**step)).sqrt()
                p.sub_(group["lr"] * change / (root + group["epsilon"]))
        return loss
