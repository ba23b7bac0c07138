from collections.abc import Callable

import torch
from torch import Tensor, optim


def clip_norm(most: float, *joint: tuple[Tensor, ...]) -> Callable[..., None]:
    """Shortens each weight's gradient to a norm of at most `most`; each of `joint`
    counts as one weight."""
    inside = {p for weights in joint for p in weights}

    def before_step(optimizer: optim.Optimizer, *_: object) -> None:
        every = [p for group in optimizer.param_groups for p in group["params"]]
        for weights in [*joint, *((p,) for p in every if p not in inside)]:
            gradients = [p.grad for p in weights if p.grad is not None]
            norm = torch.nn.utils.get_total_norm(gradients)
            for gradient in gradients:
                gradient.mul_(most / norm.clamp(min=most))

    return before_step
