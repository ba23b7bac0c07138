from collections.abc import Callable, Iterable

import torch
from torch import Tensor


class AdamW(torch.optim.AdamW):
    """AdamW as in Keras, which adds epsilon before the second moment is corrected
    for its start at 0."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float],
        epsilon: float,
        weight_decay: float,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, epsilon, weight_decay, amsgrad)
        for group in self.param_groups:
            group.update(epsilon=epsilon, count=0)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        for group in self.param_groups:
            group["count"] += 1
            correction = 1 - group["betas"][1] ** group["count"]
            group["eps"] = group["epsilon"] / correction**0.5
        return super().step(closure)
