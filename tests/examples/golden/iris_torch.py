"""Iris, compiled by nndsl."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def scaled_normal_(
    tensor: Tensor, scale: float, fan: float, generator: torch.Generator | None = None
) -> None:
    """Fills `tensor` from a normal distribution cut at two standard deviations, with
    variance scale / fan after the cut (which leaves 0.8796 of the deviation)."""
    std = float((scale / fan) ** 0.5) / 0.87962566103423978
    nn.init.trunc_normal_(tensor, 0.0, std, -2 * std, 2 * std, generator)


def max_norm_(weight: Tensor, limit: float, dim: int | tuple[int, ...]) -> None:
    """Scales `weight` down to a norm of at most `limit` over `dim`."""
    norm = weight.square().sum(dim, keepdim=True).sqrt()
    weight.mul_(norm.clamp(max=limit) / (1e-7 + norm))


def unit_norm_(weight: Tensor, dim: int | tuple[int, ...]) -> None:
    """Scales `weight` to a norm of 1 over `dim`."""
    norm = weight.square().sum(dim, keepdim=True).sqrt()
    weight.div_(1e-7 + norm)


class Metric:
    """The mean of `values(prediction, target)` over all samples of all batches."""

    def __init__(self, values: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.values = values
        self.total: Tensor | float = 0.0
        self.count = 0

    @torch.no_grad()
    def update(self, prediction: Tensor, target: Tensor) -> None:
        values = self.values(prediction, target)
        self.total = self.total + values.sum()
        self.count += values.numel()

    def result(self) -> float:
        return float(self.total) / max(self.count, 1)


def sparse_categorical_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """Whether the largest number is at the target, a class id."""
    return prediction.argmax(-1) == target


class SGD(torch.optim.Optimizer):
    """Momentum that holds the learning rate of each step, as in Keras: v = m v - lr g
    (torch.optim.SGD multiplies the whole of v by the present rate)."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["velocity"] = torch.zeros_like(p)
                p.add_(state["velocity"].mul_(momentum).sub_(p.grad, alpha=lr))
        return loss


def scheduled(rate: Callable[[int], float]) -> Callable[..., None]:
    """Sets the learning rate before each step; the first step is 0."""

    def before_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate(group.setdefault("steps", 0))
            group["steps"] += 1

    return before_step


class Iris(nn.Module):
    """The three species of iris from four lengths, every layer held in check:
    regularizers, constraints, a decaying rate.
    Data: built in, Fisher's 150 flowers.

    Inputs:
        features: float32 [batch, 4]
    Outputs:
        species: float32 [batch, 3]
    """

    def __init__(self) -> None:
        super().__init__()
        self.activity_penalty = torch.zeros(())
        self.species_dense = nn.Linear(4, 16)
        self.species_dense_2 = nn.Linear(16, 16)
        self.species = nn.Linear(16, 3, bias=False)
        scaled_normal_(self.species_dense.weight, scale=2.0, fan=4)
        nn.init.zeros_(self.species_dense.bias)
        nn.init.xavier_uniform_(self.species_dense_2.weight)
        nn.init.ones_(self.species_dense_2.bias)
        nn.init.xavier_uniform_(self.species.weight)

    def forward(self, features: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        x = F.relu(self.species_dense(features))  # [batch, 16]
        x = F.relu(self.species_dense_2(x))
        self.activity_penalty = 1e-05 * x.square().sum() / len(x)
        species = self.species(x)  # [batch, 3]
        if not logits:
            species = F.softmax(species, dim=-1)
        return {"species": species}


ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = {
    "features": ((4,), torch.float32),
    "species": ((), torch.int64),
}
INPUTS = ("features",)
TARGETS = ("species",)
BATCH_SIZE = 16
EPOCHS = 60
SEED: int | None = None


def compute_losses(
    outputs: dict[str, Tensor], targets: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The loss of each output, from the logits where the model gives them."""
    return {"species": F.cross_entropy(outputs["species"], targets["species"])}


def total_loss(model: Iris, losses: dict[str, Tensor]) -> Tensor:
    """What training minimises: the weighted losses and the penalties."""
    return (
        losses["species"]
        + 0.001 * model.species_dense.weight.square().sum()
        + (
            1e-05 * model.species_dense_2.weight.abs().sum()
            + 0.0001 * model.species_dense_2.weight.square().sum()
        )
        + 0.0001 * model.species_dense_2.bias.abs().sum()
        + model.activity_penalty
    )


def forward_batch(
    model: Iris, batch: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The predictions and the losses of a batch of inputs and targets."""
    outputs = model(batch["features"], logits=True)
    losses = compute_losses(outputs, batch)
    predictions = {"species": F.softmax(outputs["species"], dim=-1)}
    return predictions, losses


@torch.no_grad()
def constrain(model: Iris) -> None:
    """Puts the weights back to where their constraints want them."""
    max_norm_(model.species_dense.weight, 3.0, dim=1)
    model.species_dense_2.bias.clamp_(min=0.0)
    unit_norm_(model.species.weight, dim=1)


def learning_rate(step: int) -> float:
    """The learning rate of a step, by ExponentialDecay."""
    return 0.1 * math.pow(0.9, step / 100)


def make_optimizer(model: Iris) -> torch.optim.Optimizer:
    """SGD as Keras defines it."""
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer.register_step_pre_hook(scheduled(learning_rate))
    optimizer.register_step_post_hook(lambda *_: constrain(model))
    return optimizer


def make_metrics() -> dict[str, dict[str, Metric]]:
    """Fresh metrics, by output and name."""
    return {"species": {"accuracy": Metric(sparse_categorical_accuracy)}}


def batches(
    data: dict[str, Tensor], size: int, rng: np.random.Generator | None = None
) -> Iterator[dict[str, Tensor]]:
    """The samples, `size` at a time, in a random order if `rng` is given."""
    count = len(data[INPUTS[0]])
    order = np.arange(count) if rng is None else rng.permutation(count)
    for start in range(0, count, size):
        chosen = torch.from_numpy(order[start : start + size])
        yield {name: array[chosen] for name, array in data.items()}


def run(
    model: Iris,
    batches: Iterable[dict[str, Tensor]],
    optimizer: torch.optim.Optimizer | None = None,
) -> dict[str, float]:
    """The mean losses and the metrics over batches; with an optimizer it trains."""
    model.train(optimizer is not None)
    metrics = make_metrics()
    loss_sum: Tensor | float = 0.0
    count = 0
    for batch in batches:
        with torch.set_grad_enabled(optimizer is not None):
            predictions, losses = forward_batch(model, batch)
            loss = total_loss(model, losses)
        if optimizer is not None:
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        size = len(batch[INPUTS[0]])
        count += size
        loss_sum += loss.detach() * size
        for output, group in metrics.items():
            for metric in group.values():
                metric.update(predictions[output], batch[output])
    logs = {"loss": float(loss_sum) / count}
    for group in metrics.values():
        logs |= {name: metric.result() for name, metric in group.items()}
    return logs


def train(
    model: Iris,
    data: dict[str, Tensor],
    validation: dict[str, Tensor] | None = None,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    seed: int | None = SEED,
) -> None:
    """Trains the model; shows how it does after every epoch."""
    optimizer = make_optimizer(model)
    rng = np.random.default_rng(seed)
    for epoch in range(epochs):
        logs = run(model, batches(data, batch_size, rng), optimizer)
        if validation is not None:
            values = run(model, batches(validation, batch_size))
            logs |= {f"val_{name}": value for name, value in values.items()}
        print(f"epoch {epoch + 1}/{epochs}: {show(logs)}", flush=True)


def show(logs: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in logs.items())


@torch.no_grad()
def predict(
    model: Iris, data: dict[str, Tensor], batch_size: int = BATCH_SIZE
) -> dict[str, np.ndarray]:
    """The outputs for the data, by name."""
    model.eval()
    parts = [model(batch["features"]) for batch in batches(data, batch_size)]
    return {k: torch.cat([p[k].cpu() for p in parts]).numpy() for k in parts[0]}


def to_tensor(name: str, array: np.ndarray) -> Tensor:
    """An array as the model takes it; ValueError where it does not fit."""
    shape, dtype = ARRAYS[name]
    if array.ndim == len(shape) and shape[-1:] == (1,):
        array = array[..., None]  # one number for each sample
    elif array.ndim == len(shape) + 2 and array.shape[-1] == 1:
        array = array[..., 0]
    fits = [size in (None, n) for size, n in zip(shape, array.shape[1:], strict=False)]
    if array.ndim != len(shape) + 1 or not all(fits):
        wanted = ("samples", *("any" if size is None else size for size in shape))
        raise ValueError(f"{name} must have the shape {wanted}, not {array.shape}")
    if array.dtype.kind not in ("biuf" if dtype.is_floating_point else "biu"):
        raise ValueError(f"{name} must hold {dtype}, not {array.dtype}")
    return torch.from_numpy(array).to(dtype)


def load_data(
    path: str, names: tuple[str, ...], device: torch.device
) -> dict[str, Tensor]:
    """These arrays of an .npz file; ValueError where one is missing or does not fit."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # noqa: BLE001 (broken files fail in many ways)
        raise ValueError(f"{path} is not an .npz file of numbers: {error}") from None
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ValueError(f"{path} has no array {', '.join(missing)}")
    data = {name: to_tensor(name, arrays[name]).to(device) for name in names}
    counts = {name: len(tensor) for name, tensor in data.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise ValueError(f"all arrays must have as many samples, 1 or more: {counts}")
    return data


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` takes a GPU where there is one."""
    mps = torch.backends.mps.is_available()
    found = {"cuda": torch.cuda.is_available(), "mps": mps, "cpu": True}
    if name == "auto":
        name = next(kind for kind, is_there in found.items() if is_there)
    if not found.get(name):
        raise ValueError(f"there is no {name} device that can run this model")
    return torch.device(name)


def main() -> None:
    """Trains, evaluates or predicts from an .npz file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("command", choices=["train", "evaluate", "predict"])
    parser.add_argument("data", help="an .npz file with an array for each name")
    parser.add_argument("--validation", help="another .npz file, to evaluate on")
    parser.add_argument("--weights", default="model.pt", help="file of the weights")
    parser.add_argument("-o", "--output", default="predictions.npz")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()

    if args.seed is not None:
        torch.manual_seed(args.seed)
    device = pick_device(args.device)
    model = Iris().to(device)
    names = INPUTS if args.command == "predict" else INPUTS + TARGETS
    data = load_data(args.data, names, device)
    if args.command == "train":
        validation = None
        if args.validation:
            validation = load_data(args.validation, names, device)
        train(model, data, validation, args.epochs, args.batch_size, args.seed)
        torch.save(model.state_dict(), args.weights)
        return
    try:
        model.load_state_dict(torch.load(args.weights, device, weights_only=True))
    except Exception as error:  # noqa: BLE001 (broken files fail in many ways)
        raise ValueError(f"{args.weights} has no such weights: {error}") from None
    if args.command == "evaluate":
        print(show(run(model, batches(data, args.batch_size))))
        return
    arrays: dict[str, Any] = predict(model, data, args.batch_size)
    np.savez(args.output, **arrays)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from None
