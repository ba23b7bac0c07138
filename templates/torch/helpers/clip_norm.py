from collections.abc import Callable

import torch


def clip_norm(most: float) -> Callable[..., None]:
    """Shortens each weight's gradient to a norm of at most `most`."""

    def before_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.mul_(most / p.grad.norm().clamp(min=most))

    return before_step
