from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from templates.torch.helpers.Optimizer import Optimizer


class RMSprop(Optimizer):
    """RMSprop as in Keras, with epsilon inside the root (torch adds it outside)."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        rho: float,
        epsilon: float,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "epsilon": epsilon}
        super().__init__(
            params, {**defaults, "momentum": momentum, "centered": centered}
        )

    def update(
        self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        if not state:
            names = ("square", "mean", "velocity")
            state.update({name: torch.zeros_like(p) for name in names})
        rho, square, mean = group["rho"], state["square"], state["mean"]
        square.mul_(rho).addcmul_(grad, grad, value=1 - rho)
        spread = square + group["epsilon"]
        if group["centered"]:
            mean.mul_(rho).add_(grad, alpha=1 - rho)
            spread = spread - mean.square()
        change = group["lr"] * grad / spread.sqrt()
        if group["momentum"]:
            change = state["velocity"].mul_(group["momentum"]).add_(change)
        p.sub_(change)
