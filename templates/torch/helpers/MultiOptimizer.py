from typing import Any

import torch
from torch import optim


class MultiOptimizer(optim.Optimizer):
    """Optimizers of different parameters that step together. It shares their groups of
    parameters and their state, so that its state_dict holds those of all."""

    def __init__(self, *optimizers: optim.Optimizer) -> None:
        groups = [group for part in optimizers for group in part.param_groups]
        super().__init__(groups, {})
        self.optimizers = optimizers
        self.share()

    def share(self) -> None:
        for part, group in zip(self.optimizers, self.param_groups, strict=True):
            part.param_groups, part.state = [group], self.state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.share()

    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for part in self.optimizers:
            part.step()
        return loss
