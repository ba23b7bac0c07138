from collections.abc import Callable

import torch


def clip_global_norm(most: float) -> Callable[..., None]:
    """Shortens all gradients alike, to a norm of at most `most` together."""

    def before_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        weights = [p for group in optimizer.param_groups for p in group["params"]]
        gradients = [p.grad for p in weights if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        for gradient in gradients:
            gradient.mul_(most / norm.clamp(min=most))

    return before_step
