from collections.abc import Callable

import torch


def clip_value(most: float) -> Callable[..., None]:
    """Clips every number of the gradients to -most … most."""

    def before_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            torch.nn.utils.clip_grad_value_(group["params"], most)

    return before_step
