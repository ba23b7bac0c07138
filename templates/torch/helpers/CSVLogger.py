import csv
import io
import os

from torch import nn, optim

from templates.torch.helpers.write_whole import write_whole


class CSVLogger:
    """Writes the numbers of each epoch into a table, a row an epoch."""

    def __init__(self, path: str, separator: str = ",", append: bool = False) -> None:
        self.path, self.separator, self.append = path, separator, append
        self.names: list[str] = []
        self.text = ""  # all of the table

    def after_epoch(
        self,
        epoch: int,
        logs: dict[str, float],
        model: nn.Module,
        optimizer: optim.Optimizer,
    ) -> bool:
        """Whether training shall end: never."""
        if not self.names:
            self.names = sorted(logs)
            if not any(name.startswith("val_") for name in logs):
                self.names += [f"val_{name}" for name in self.names]
            if self.append and os.path.exists(self.path):
                with open(self.path, newline="") as file:
                    self.text = file.read()
            if not self.text:
                self.add(["epoch", *self.names])
        self.add([epoch, *(logs.get(name, "NA") for name in self.names)])
        write_whole(self.path, self.write)
        return False

    def add(self, row: list[object]) -> None:
        line = io.StringIO()
        csv.writer(line, delimiter=self.separator).writerow(row)
        self.text += line.getvalue()

    def write(self, path: str) -> None:
        with open(path, "w", newline="") as file:
            file.write(self.text)

    def after_training(self, model: nn.Module) -> None:
        pass
