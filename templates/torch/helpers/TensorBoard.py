import importlib.util
import os

from torch import nn, optim

from templates.torch.helpers.summary_writer import summary_writer


class TensorBoard:
    """Writes the numbers of each epoch for TensorBoard, under Keras's names."""

    def __init__(self, path: str) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise ImportError("TensorBoard needs a package: pip install tensorboard")
        self.path = path

    def after_epoch(
        self,
        epoch: int,
        logs: dict[str, float],
        model: nn.Module,
        optimizer: optim.Optimizer,
    ) -> bool:
        """Whether training shall end: never."""
        rates = {float(group["lr"]) for group in optimizer.param_groups}
        rate = {"learning_rate": rates.pop()} if len(rates) == 1 else {}
        for name, value in {**logs, **rate}.items():
            part = "validation" if name.startswith("val_") else "train"
            writer = summary_writer(os.path.join(self.path, part))
            writer.add_scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
            writer.flush()
        return False

    def after_training(self, model: nn.Module) -> None:
        pass
