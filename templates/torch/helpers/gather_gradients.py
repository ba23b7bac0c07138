from collections.abc import Callable

import torch
from torch import optim


def gather_gradients(batches: int) -> Callable[..., None]:
    """Gives the weights the mean gradient of so many batches at the last of them, and
    none before."""

    @torch.no_grad()
    def before_step(optimizer: optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            if "gathered" not in group:
                group["batches"] = 0
                group["gathered"] = [torch.zeros_like(p) for p in group["params"]]
            group["batches"] += 1
            for p, gathered in zip(group["params"], group["gathered"], strict=True):
                if p.grad is None:
                    continue
                gathered.add_(p.grad)
                p.grad = None
                if group["batches"] % batches == 0:
                    p.grad = gathered / batches
                    gathered.zero_()

    return before_step
