import re

import torch
from torch import nn, optim

from templates.torch.helpers.Watcher import Watcher
from templates.torch.helpers.write_whole import write_whole


class ModelCheckpoint(Watcher):
    """Saves weights and state of the optimizer after each epoch or, where a number is
    watched, after each that is the best so far."""

    def __init__(
        self,
        path: str,
        monitor: str = "",
        mode: str = "min",
        threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, 0.0)
        self.path = path
        self.best = None if threshold is None else self.sign * threshold

    def after_epoch(
        self,
        epoch: int,
        logs: dict[str, float],
        model: nn.Module,
        optimizer: optim.Optimizer,
    ) -> bool:
        """Whether training shall end: never."""
        if self.monitor:
            value = self.current(logs)
            if not self.better(value, self.best):
                return False
            self.best = value
        numbers = {**logs, "epoch": epoch + 1}

        def written(field: re.Match[str]) -> str:
            number = numbers.get(field[1])
            return field[0] if number is None else format(number, field[2])

        path = re.sub(r"{(\w+):?([^{}]*)}", written, self.path)
        state = model.state_dict(), optimizer.state_dict()
        write_whole(path, lambda file: torch.save(state, file))
        return False

    def after_training(self, model: nn.Module) -> None:
        pass
