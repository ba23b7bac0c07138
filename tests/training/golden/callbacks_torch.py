"""Concrete, compiled by nndsl."""

import argparse
import copy
import csv
import functools
import importlib.util
import io
import math
import os
import re
from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


def absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean absolute difference of each sample."""
    return (prediction - target).abs().mean(-1)


class Watcher:
    """Knows whether the watched number has got better."""

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        self.monitor, self.min_delta = monitor, min_delta
        self.sign = 1.0 if mode == "min" else -1.0
        self.best: float | None = None
        self.wait = 0

    def current(self, logs: Mapping[str, float]) -> float:
        return self.sign * logs[self.monitor]

    def better(self, value: float, than: float | None) -> bool:
        return than is None or value < than - self.min_delta


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


def write_whole(path: str, write: Callable[[str], object]) -> None:
    """Has `write` make a file beside `path`, which then takes its place at once."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    write(f"{path}.part")
    os.replace(f"{path}.part", path)


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


@functools.cache
def summary_writer(folder: str) -> Any:
    """What writes for TensorBoard in a folder."""
    from torch.utils.tensorboard import SummaryWriter  # slow to load

    return SummaryWriter(folder)


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


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class Concrete(nn.Module):
    """The strength of concrete, watched from every side.

    Maps mix, float32 [batch, 8], to strength, float32 [batch, 1].
    """

    def __init__(self) -> None:
        super().__init__()
        self.strength_dense = nn.Linear(8, 32)
        self.strength = nn.Linear(32, 1)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)

    def forward(self, mix: Tensor) -> dict[str, Tensor]:
        x = F.relu(self.strength_dense(mix))  # [batch, 32]
        strength = self.strength(x)  # [batch, 1]
        return {"strength": strength}


Data = dict[str, Tensor]
ARRAYS = {"mix": ((8,), torch.float32), "strength": ((1,), torch.float32)}


def measure(model: Concrete, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction, target = model(batch["mix"])["strength"], batch["strength"]
    loss = F.mse_loss(prediction, target)
    return {"loss": loss, "mae": torch.mean(absolute_error(prediction, target))}


def make_optimizer(model: Concrete) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def make_watchers() -> list[
    CSVLogger
    | EarlyStopping
    | ModelCheckpoint
    | ReduceLROnPlateau
    | TensorBoard
    | TerminateOnNaN
]:
    """What looks at the numbers after each epoch."""
    return [
        ReduceLROnPlateau("val_loss", "min", factor=0.5, patience=5, min_delta=0.0001),
        EarlyStopping("val_loss", "min", patience=20, restore_best_weights=True),
        ModelCheckpoint("best.pt", "val_loss", "min"),
        ModelCheckpoint("all/{epoch:03d}-{val_mae:.3f}.pt"),
        CSVLogger("tables/log.csv"),
        TensorBoard("board"),
        TerminateOnNaN(),
    ]


def run(
    model: Concrete, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = 0, Data()
    samples = len(data["mix"])
    order = torch.randperm(samples) if model.training else torch.arange(samples)
    for rows in torch.split(order, size):
        with torch.set_grad_enabled(model.training):
            values = measure(model, {k: x[rows] for k, x in data.items()})
        if optimizer is not None:
            optimizer.zero_grad()
            torch.autograd.backward(values["loss"])
            optimizer.step()
        count += len(rows)
        sums = {k: sums.get(k, 0) + v.detach() * len(rows) for k, v in values.items()}
        if model.training and not torch.isfinite(sums["loss"]):
            break
    return {name: float(total) / count for name, total in sums.items()}


def load_data(path: str, names: list[str], device: torch.device | str) -> Data:
    """Arrays of an .npz file; ValueError where one does not fit the model."""
    with np.load(path) as file:
        data = {name: torch.from_numpy(file[name]) for name in names}
    count = max(1, *map(len, data.values()))
    for name, x in data.items():
        shape, kind = [count, *ARRAYS[name][0]], ARRAYS[name][1]
        sizes = list(zip_longest(shape, x.shape, fillvalue=1))  # a missing axis is 1
        if any(a and a != b for a, b in sizes) or not torch.can_cast(x.dtype, kind):
            raise ValueError(f"{name} needs {kind} {shape}, not {x.dtype} {[*x.shape]}")
        data[name] = x.to(device, kind).view([n for _, n in sizes[: len(shape)]])
    return data


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["train", "resume", "evaluate", "predict"])
    parser.add_argument("data", help="an .npz file with an array for each name")
    parser.add_argument("--validation", help="another .npz file, to evaluate on")
    parser.add_argument("--weights", default="model.pt", help="file of the weights")
    parser.add_argument("-o", "--output", default="predictions.npz")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Concrete().to(device)
        optimizer = make_optimizer(model)
        names = ["mix"] if args.command == "predict" else list(ARRAYS)
        data = load_data(args.data, names, device)
        held = args.validation and load_data(args.validation, names, device)
        if args.command != "train":
            weights, state = torch.load(args.weights, device, weights_only=True)
            model.load_state_dict(weights)
            optimizer.load_state_dict(state)
        watchers = make_watchers() if args.command in ("train", "resume") else []
    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)
        raise SystemExit(f"error: {error}") from None
    if args.command in ("train", "resume"):
        if held is None:
            at = int(len(data["mix"]) * (1 - 0.2))
            held = {name: tensor[at:] for name, tensor in data.items()}
            data = {name: tensor[:at] for name, tensor in data.items()}
        for epoch in range(args.epochs):
            logs = run(model, data, args.size, optimizer)
            if held is not None:
                logs |= {f"val_{k}": v for k, v in run(model, held, args.size).items()}
            print(f"epoch {epoch + 1}:", *(f"{k} {v:.4f}" for k, v in logs.items()))
            stops = [w.after_epoch(epoch, logs, model, optimizer) for w in watchers]
            if any(stops):
                break
        for watcher in watchers:
            watcher.after_training(model)
        torch.save((model.state_dict(), optimizer.state_dict()), args.weights)
    elif args.command == "evaluate":
        print(*(f"{k} {v:.4f}" for k, v in run(model, data, args.size).items()))
    else:
        with torch.no_grad():
            parts = list(map(model.eval(), torch.split(data["mix"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
