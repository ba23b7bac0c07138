from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim

from templates.torch.helpers.as_float32 import as_float32


class Adam(optim.Optimizer):
    """Adam as in Keras: epsilon is added before the second mean is corrected for its
    start at 0, and the corrections know the betas as float32."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float],
        epsilon: float,
        amsgrad: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "epsilon": epsilon, "amsgrad": amsgrad}
        super().__init__(params, defaults)

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
                    names = ["momentum", "velocity", "velocity_hat"]
                    zeros = [torch.zeros_like(p) for _ in range(2 + group["amsgrad"])]
                    state.update(zip(names, zeros, strict=False), step=0)
                step = state["step"] = state["step"] + 1
                mean = state["momentum"].lerp_(p.grad, 1 - beta_1)
                square = state["velocity"].lerp_(p.grad.square(), 1 - beta_2)
                if group["amsgrad"]:
                    square = state["velocity_hat"].copy_(
                        square.maximum(state["velocity_hat"])
                    )
                rate = group["lr"] / (1 - as_float32(beta_1) ** step)
                rate *= (1 - as_float32(beta_2) ** step) ** 0.5
                p.sub_(rate * mean / (square.sqrt() + group["epsilon"]))
        return loss
