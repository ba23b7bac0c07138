from collections.abc import Callable

import torch


def early_epsilon(epsilon: float) -> Callable[..., None]:
    """Makes Adam add epsilon before the second moment is corrected for its start at 0,
    as Keras does: the epsilon that torch adds behind the correction grows with it."""

    def before_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            group["count"] = group.get("count", 0) + 1
            correction = 1 - group["betas"][1] ** group["count"]
            group["eps"] = epsilon / correction**0.5

    return before_step
