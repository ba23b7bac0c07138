from collections.abc import Callable

import torch
from torch import optim


def decay_weights(share: float) -> Callable[..., None]:
    """Takes the share, times the learning rate, of every weight before each step."""

    @torch.no_grad()
    def before_step(optimizer: optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - share * group["lr"])

    return before_step
