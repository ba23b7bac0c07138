from collections.abc import Callable

import torch
from torch import optim


def average_weights(
    momentum: float, every: int | None = None, batches: int = 1
) -> Callable[..., None]:
    """Keeps a running mean of each weight, which the weights become after `every` steps
    (of `batches` batches each)."""

    @torch.no_grad()
    def after_step(optimizer: optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            if "averages" not in group:
                group["averaged"] = 0
                group["averages"] = [torch.zeros_like(p) for p in group["params"]]
            step = group["averaged"] // batches
            group["averaged"] += 1
            for p, mean in zip(group["params"], group["averages"], strict=True):
                if p.requires_grad:
                    mean.lerp_(p, 1 - momentum if step else 1.0)
                    if every and (step + 1) % every == 0:
                        p.copy_(mean)

    return after_step
