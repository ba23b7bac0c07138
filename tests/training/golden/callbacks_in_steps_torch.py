"""Sorter, compiled by nndsl."""

import argparse
import copy
import csv
import io
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


def f_counts(
    prediction: Tensor,
    target: Tensor,
    threshold: float | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """True positives, false positives and false negatives of each class: [3, classes].
    Without a threshold the largest number of a sample is its class."""
    if threshold is None:
        largest = prediction.amax(-1, keepdim=True)
        chosen = ((prediction >= largest) & (prediction.abs() > 1e-9)).to(prediction)
    else:
        chosen = (prediction > threshold).to(prediction)
    kinds = [chosen * target, chosen * (1 - target), (1 - chosen) * target]
    counts = torch.stack(kinds)
    return counts.sum(1) if weight is None else (counts * weight[..., None]).sum(1)


def f_score(counts: Tensor, average: str | None = None, beta: float = 1.0) -> Tensor:
    """The harmonic mean of precision and recall, of each class or one of all."""
    if average == "micro":
        counts = counts.sum(-1)
    hits, false, missed = counts.unbind()
    exact, found = hits / (hits + false + 1e-7), hits / (hits + missed + 1e-7)
    score = (1 + beta**2) * (exact * found) / (beta**2 * exact + found + 1e-7)
    if average == "weighted":
        share = (hits + missed) / ((hits + missed).sum() + 1e-7)
        return (score * share).sum()
    return score.mean() if average else score


def spread(means: dict[str, Tensor], name: str, values: Tensor) -> None:
    """Puts several numbers among the means: name_0, name_1, …"""
    means |= {f"{name}_{number}": value for number, value in enumerate(values)}


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


class Sorter(nn.Module):
    """Maps x, float32 [batch, 8], to kind, float32 [batch, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = nn.Linear(8, 3)
        nn.init.xavier_uniform_(self.kind.weight)
        nn.init.zeros_(self.kind.bias)

    def forward(self, x: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        kind = self.kind(x)  # [batch, 3]
        return {"kind": kind if logits else F.softmax(kind, dim=-1)}


Data = dict[str, Tensor]
ARRAYS = {"x": ((8,), torch.float32), "kind": ((3,), torch.float32)}


def measure(model: Sorter, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction, target = model(batch["x"], logits=True)["kind"], batch["kind"]
    values = {"loss": F.cross_entropy(prediction, target)}
    prediction = F.softmax(prediction, dim=-1)
    values["f1_score"] = f_counts(prediction, target)
    return values


def results(means: Data) -> dict[str, float]:
    """What is reported, from the means and totals over all samples."""
    spread(means, "f1_score", f_score(means.pop("f1_score")))
    return {name: float(mean) for name, mean in means.items()}


def make_optimizer(model: Sorter) -> optim.Optimizer:
    return optim.SGD(model.parameters(), lr=0.01)


def make_watchers() -> list[CSVLogger | EarlyStopping | TerminateOnNaN]:
    """What looks at the numbers after each evaluation."""
    return [
        EarlyStopping("val_loss", "min", patience=3),
        CSVLogger("log.csv"),
        TerminateOnNaN(raise_error=True),
    ]


def batches(data: Data, size: int, endless: bool = False) -> Iterator[Data]:
    """The samples, `size` at a time; `endless`, again and again in a random order."""
    count = len(data["x"])
    while True:
        order = torch.randperm(count) if endless else torch.arange(count)
        for rows in torch.split(order, size):
            yield {name: tensor[rows] for name, tensor in data.items()}
        if not endless:
            return


def run(
    model: Sorter, batches: Iterable[Data], optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = 0, Data()
    for batch in batches:
        with torch.set_grad_enabled(model.training):
            values = measure(model, batch)
        if optimizer is not None:
            optimizer.zero_grad()
            torch.autograd.backward(values["loss"])
            optimizer.step()
        size = len(batch["x"])
        count += size
        for name, value in values.items():  # counts add up, other numbers are means
            factor = 1 if value.dim() else size
            sums[name] = sums.get(name, 0) + factor * value.detach()
        if model.training and not torch.isfinite(sums["loss"]):
            break
    sums = {k: v.cpu().double() for k, v in sums.items()}
    return results({k: v if v.dim() else v / count for k, v in sums.items()})


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
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Sorter().to(device)
        optimizer = make_optimizer(model)
        names = ["x"] if args.command == "predict" else list(ARRAYS)
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
        stream = batches(data, args.size, endless=True)
        for start in range(0, args.steps, 50):
            end = min(start + 50, args.steps)
            logs = run(model, islice(stream, end - start), optimizer)
            if held is not None:
                values = run(model, batches(held, args.size))
                logs |= {f"val_{name}": value for name, value in values.items()}
            print(f"step {end}:", *(f"{k} {v:.4f}" for k, v in logs.items()))
            look = start // 50
            stops = [w.after_epoch(look, logs, model, optimizer) for w in watchers]
            if any(stops):
                break
        for watcher in watchers:
            watcher.after_training(model)
        torch.save((model.state_dict(), optimizer.state_dict()), args.weights)
    elif args.command == "evaluate":
        logs = run(model, batches(data, args.size))
        print(*(f"{k} {v:.4f}" for k, v in logs.items()))
    else:
        with torch.no_grad():
            parts = list(map(model.eval(), torch.split(data["x"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
