import math

from torch import nn, optim


class TerminateOnNaN:
    """Ends training where the loss is no finite number."""

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def after_epoch(
        self,
        epoch: int,
        logs: dict[str, float],
        model: nn.Module,
        optimizer: optim.Optimizer,
    ) -> bool:
        """Whether training shall end."""
        if math.isfinite(logs["loss"]):
            return False
        if self.raise_error:
            raise RuntimeError(f"the loss is {logs['loss']} in epoch {epoch + 1}")
        return True

    def after_training(self, model: nn.Module) -> None:
        pass
