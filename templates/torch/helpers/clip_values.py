from collections.abc import Callable

from torch import optim


def clip_values(most: float) -> Callable[..., None]:
    """Keeps every number of the gradients from `-most` to `most`."""

    def before_step(optimizer: optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.clamp_(-most, most)

    return before_step
