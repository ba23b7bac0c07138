from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from templates.torch.helpers.Optimizer import Optimizer


class SGD(Optimizer):
    """Momentum that holds the learning rate of each step, as in Keras: v = m v - lr g
    (torch.optim.SGD multiplies the whole of v by the present rate)."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        momentum: float,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "nesterov": nesterov})

    def update(
        self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        if not state:
            state["velocity"] = torch.zeros_like(p)
        lr, momentum, velocity = group["lr"], group["momentum"], state["velocity"]
        velocity.mul_(momentum).sub_(grad, alpha=lr)
        if group["nesterov"]:
            p.add_(velocity, alpha=momentum).sub_(grad, alpha=lr)
        else:
            p.add_(velocity)
