from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from templates.torch.helpers.Optimizer import Optimizer


class Adagrad(Optimizer):
    """Adagrad as in Keras, with epsilon inside the root (torch adds it outside)."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, start: float, epsilon: float
    ) -> None:
        super().__init__(params, {"lr": lr, "start": start, "epsilon": epsilon})

    def update(
        self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        if not state:
            state["sum"] = torch.full_like(p, group["start"])
        total = state["sum"].addcmul_(grad, grad)
        p.sub_(group["lr"] * grad / (total + group["epsilon"]).sqrt())
