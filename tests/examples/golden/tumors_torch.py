"""Tumors, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


def binary_accuracy(
    prediction: Tensor, target: Tensor, threshold: float = 0.5
) -> Tensor:
    """The share of numbers on the right side of the threshold."""
    return ((prediction > threshold) == target).to(prediction.dtype).mean(-1)


def confusion_evenly(
    prediction: Tensor,
    target: Tensor,
    count: int,
    weight: Tensor | None = None,
    outside: bool = False,
) -> Tensor:
    """How many numbers are true and false positives, false and true negatives at each
    of `count` thresholds from 0 to 1 (the ends a little `outside`): [4, count]."""
    places = (prediction.flatten().clamp(0, 1) * (count - 1)).ceil().long()
    places = places.clamp(min=1 if outside else 0)  # how many thresholds are below
    positive = (target != 0).flatten()
    each = None if weight is None else weight.expand_as(prediction).flatten()
    groups = [
        torch.bincount(places[group], each if each is None else each[group], count)
        for group in (positive, ~positive)
    ]
    below = torch.stack(groups).cumsum(1)
    return torch.cat([below[:, -1:] - below, below])


def ratio(a: Tensor, b: Tensor) -> Tensor:
    """a / b, and 0 where b is 0."""
    divisor = torch.where(b == 0, 1.0, b)
    return torch.where(b == 0, 0.0, a / divisor)


def recall_of(counts: Tensor) -> Tensor:
    """The share of 1 that is predicted as 1, at each threshold."""
    return ratio(counts[0], counts[0] + counts[2])


def roc_curve(counts: Tensor) -> tuple[Tensor, Tensor]:
    """The shares of 0 and of 1 that are predicted as 1, at each threshold."""
    return ratio(counts[1], counts[1] + counts[3]), recall_of(counts)


def area_under(x: Tensor, y: Tensor, summation: str = "interpolation") -> Tensor:
    """The area under a curve whose points come from right to left."""
    height = (y[:-1] + y[1:]) / 2
    if summation != "interpolation":
        pick = torch.minimum if summation == "minoring" else torch.maximum
        height = pick(y[:-1], y[1:])
    return ((x[:-1] - x[1:]) * height).sum(0)


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class Tumors(nn.Module):
    """Which tumors are malignant, from thirty measures of their cells: judged ten
    times, each time on a tenth not seen.
    Data: built in, the 569 tumors of Wisconsin.

    Maps measures, float32 [batch, 30], to benign, float32 [batch, 1].
    """

    def __init__(self) -> None:
        super().__init__()
        self.benign_dense = nn.Linear(30, 16)
        self.benign_dropout = nn.Dropout(0.2)
        self.benign = nn.Linear(16, 1)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)

    def forward(self, measures: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        x = F.relu(self.benign_dense(measures))  # [batch, 16]
        x = self.benign_dropout(x)
        benign = self.benign(x)  # [batch, 1]
        return {"benign": benign if logits else torch.sigmoid(benign)}


Data = dict[str, Tensor]
ARRAYS = {"measures": ((30,), torch.float32), "benign": ((1,), torch.float32)}


def penalty(model: Tumors) -> Tensor:
    """The penalties of the weights."""
    return 0.001 * model.benign_dense.weight.square().sum()


def measure(model: Tumors, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction = model(batch["measures"], logits=True)["benign"]
    target = batch["benign"]
    values = {
        "loss": F.binary_cross_entropy_with_logits(prediction, target) + penalty(model),
    }
    prediction = torch.sigmoid(prediction)
    values["accuracy"] = torch.mean(binary_accuracy(prediction, target))
    values["auc"] = confusion_evenly(prediction, target, 200, outside=True)
    return values


def results(means: Data) -> dict[str, float]:
    """What is reported, from the means and totals over all samples."""
    means["auc"] = area_under(*roc_curve(means["auc"]))
    return {name: float(mean) for name, mean in means.items()}


def make_optimizer(model: Tumors) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.005, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def run(
    model: Tumors, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["measures"]), Data()
    order = torch.randperm(count) if model.training else torch.arange(count)
    for rows in torch.split(order, size):
        with torch.set_grad_enabled(model.training):
            values = measure(model, {k: x[rows] for k, x in data.items()})
        if optimizer is not None:
            optimizer.zero_grad()
            torch.autograd.backward(values["loss"])
            optimizer.step()
        for name, value in values.items():  # counts add up, other numbers are means
            factor = 1 if value.dim() else len(rows)
            sums[name] = sums.get(name, 0) + factor * value.detach()
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
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Tumors().to(device)
        optimizer = make_optimizer(model)
        names = ["measures"] if args.command == "predict" else list(ARRAYS)
        data = load_data(args.data, names, device)
        held = args.validation and load_data(args.validation, names, device)
        if args.command != "train":
            weights, state = torch.load(args.weights, device, weights_only=True)
            model.load_state_dict(weights)
            optimizer.load_state_dict(state)
    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)
        raise SystemExit(f"error: {error}") from None
    if args.command in ("train", "resume"):
        for epoch in range(args.epochs):
            logs = run(model, data, args.size, optimizer)
            if held is not None:
                logs |= {f"val_{k}": v for k, v in run(model, held, args.size).items()}
            print(f"epoch {epoch + 1}:", *(f"{k} {v:.4f}" for k, v in logs.items()))
        torch.save((model.state_dict(), optimizer.state_dict()), args.weights)
    elif args.command == "evaluate":
        print(*(f"{k} {v:.4f}" for k, v in run(model, data, args.size).items()))
    else:
        with torch.no_grad():
            parts = list(map(model.eval(), torch.split(data["measures"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
