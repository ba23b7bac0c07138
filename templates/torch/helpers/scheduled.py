from collections.abc import Callable

from torch import optim


def scheduled(rate: Callable[[int], float]) -> Callable[..., None]:
    """Sets the learning rate before each step; the first step is 0."""

    def before_step(optimizer: optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate(group.setdefault("steps", 0))
            group["steps"] += 1

    return before_step
