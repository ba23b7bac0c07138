"""Codes, compiled by nndsl."""

import argparse
import copy
from collections.abc import Mapping
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


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


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class Codes(nn.Module):
    """The autoencoder lesson on built-in data: a digit of 8x8 pixels squeezed into two
    numbers and drawn again.
    Data: built in, the 1,797 digits of scikit-learn. The run leaves a map of the
    two numbers, colored by digit.

    Maps image, float32 [batch, 64], to drawn, float32 [batch, 64].
    """

    def __init__(self) -> None:
        super().__init__()
        self.code_dense = nn.Linear(64, 64)
        self.code_dense_2 = nn.Linear(64, 32)
        self.code = nn.Linear(32, 2)
        self.drawn_dense = nn.Linear(2, 32)
        self.drawn_dense_2 = nn.Linear(32, 64)
        self.drawn = nn.Linear(64, 64)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        code = self.encoder(image)  # [batch, 2]
        drawn = self.decoder(code)  # [batch, 64]
        return {"drawn": drawn}

    def encoder(self, image: Tensor) -> Tensor:
        """The part of the model from image to code."""
        x = F.relu(self.code_dense(image))
        x = F.relu(self.code_dense_2(x))  # [batch, 32]
        code: Tensor = self.code(x)  # [batch, 2]
        return code

    def decoder(self, code: Tensor) -> Tensor:
        """The part of the model from code to drawn."""
        x = F.relu(self.drawn_dense(code))  # [batch, 32]
        x = F.relu(self.drawn_dense_2(x))  # [batch, 64]
        drawn = torch.sigmoid(self.drawn(x))
        return drawn


Data = dict[str, Tensor]
ARRAYS = {"image": ((64,), torch.float32), "drawn": ((64,), torch.float32)}


def measure(model: Codes, batch: Data) -> Data:
    """The loss of a batch."""
    prediction, target = model(batch["image"])["drawn"], batch["drawn"]
    return {"loss": F.mse_loss(prediction, target)}


def make_optimizer(model: Codes) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.002, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def make_watchers() -> list[EarlyStopping | ReduceLROnPlateau]:
    """What looks at the numbers after each epoch."""
    return [
        ReduceLROnPlateau("val_loss", "min", factor=0.5, patience=10, min_delta=0.0001),
        EarlyStopping("val_loss", "min", patience=30, restore_best_weights=True),
    ]


def run(
    model: Codes, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["image"]), Data()
    order = torch.randperm(count) if model.training else torch.arange(count)
    for rows in torch.split(order, size):
        with torch.set_grad_enabled(model.training):
            values = measure(model, {k: x[rows] for k, x in data.items()})
        if optimizer is not None:
            optimizer.zero_grad()
            torch.autograd.backward(values["loss"])
            optimizer.step()
        sums = {k: sums.get(k, 0) + v.detach() * len(rows) for k, v in values.items()}
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
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--batch-size", dest="size", type=int, default=64)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Codes().to(device)
        optimizer = make_optimizer(model)
        names = ["image"] if args.command == "predict" else list(ARRAYS)
        data = load_data(args.data, names, device)
        held = args.validation and load_data(args.validation, names, device)
        if args.command != "train":
            weights, state = torch.load(args.weights, device, weights_only=True)
            model.load_state_dict(weights)
            optimizer.load_state_dict(state)
        if held is None and args.command in ("train", "resume"):
            raise ValueError("val_loss is watched: give --validation FILE")
    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)
        raise SystemExit(f"error: {error}") from None
    if args.command in ("train", "resume"):
        watchers = make_watchers()
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
            parts = list(map(model.eval(), torch.split(data["image"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
