import copy

import torch
from torch import nn, optim

from templates.torch.helpers.Watcher import Watcher


class EarlyStopping(Watcher):
    """Ends training when the watched number has not got better for a while."""

    def __init__(
        self,
        monitor: str,
        mode: str,
        patience: int = 0,
        min_delta: float = 0.0,
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.start = patience, start_from_epoch
        self.baseline = None if baseline is None else self.sign * baseline
        self.restore = restore_best_weights
        self.weights: dict[str, torch.Tensor] | None = None

    def after_epoch(
        self,
        epoch: int,
        logs: dict[str, float],
        model: nn.Module,
        optimizer: optim.Optimizer,
    ) -> bool:
        """Whether training shall end."""
        if epoch < self.start:
            return False
        value = self.current(logs)
        if self.restore and self.weights is None:
            self.weights = copy.deepcopy(model.state_dict())
        self.wait += 1
        if self.better(value, self.best):
            self.best = value
            if self.restore:
                self.weights = copy.deepcopy(model.state_dict())
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
            return False
        return self.wait >= self.patience and epoch > 0

    def after_training(self, model: nn.Module) -> None:
        if self.weights is not None:
            model.load_state_dict(self.weights)
