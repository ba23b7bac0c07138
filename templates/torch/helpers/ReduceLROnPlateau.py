from torch import nn, optim

from templates.torch.helpers.Watcher import Watcher


class ReduceLROnPlateau(Watcher):
    """Lowers the learning rate when the watched number has not got better for a
    while."""

    def __init__(
        self,
        monitor: str,
        mode: str,
        factor: float,
        patience: int,
        min_delta: float,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.factor, self.patience, self.min_lr = factor, patience, min_lr
        self.cooldown, self.cooling = cooldown, 0

    def after_epoch(
        self,
        epoch: int,
        logs: dict[str, float],
        model: nn.Module,
        optimizer: optim.Optimizer,
    ) -> bool:
        """Whether training shall end: never."""
        value = self.current(logs)
        logs["learning_rate"] = float(optimizer.param_groups[0]["lr"])
        if self.cooling:
            self.cooling, self.wait = self.cooling - 1, 0
        if self.better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.cooling:
            self.wait += 1
            if self.wait >= self.patience:
                for group in optimizer.param_groups:
                    if group["lr"] > self.min_lr:
                        group["lr"] = max(group["lr"] * self.factor, self.min_lr)
                        self.cooling, self.wait = self.cooldown, 0
        return False

    def after_training(self, model: nn.Module) -> None:
        pass
