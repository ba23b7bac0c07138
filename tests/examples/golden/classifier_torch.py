"""Classifier, compiled by nndsl."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


def categorical_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """Whether the largest number is where the target's is."""
    return prediction.argmax(-1) == target.argmax(-1)


class RMSprop(torch.optim.Optimizer):
    """RMSprop as in Keras, with epsilon inside the root (torch adds it outside)."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, rho: float, epsilon: float
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            lr, rho, epsilon = group["lr"], group["rho"], group["epsilon"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["square"] = torch.zeros_like(p)
                square = state["square"]
                square.mul_(rho).addcmul_(p.grad, p.grad, value=1 - rho)
                p.sub_(lr * p.grad / (square + epsilon).sqrt())
        return loss


def init_weights(module: nn.Module) -> None:
    """Keras's defaults: Glorot uniform kernels, zero biases."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Classifier(nn.Module):
    """Handwritten digits with one hidden layer, the first classification lesson.
    Data: mnist.npz, from
    https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz; or
    `--data random`.

    Inputs:
        image: float32 [batch, 784]
    Outputs:
        label: float32 [batch, 10]
    """

    def __init__(self) -> None:
        super().__init__()
        self.label_dense = nn.Linear(784, 32)
        self.label_dense_2 = nn.Linear(32, 10)
        self.apply(init_weights)

    def forward(self, image: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        x = self.label_dense(image)  # [batch, 32]
        x = F.relu(x)
        label = self.label_dense_2(x)  # [batch, 10]
        if not logits:
            label = F.softmax(label, dim=-1)
        return {"label": label}


ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = {
    "image": ((784,), torch.float32),
    "label": ((10,), torch.float32),
}
INPUTS = ("image",)
TARGETS = ("label",)
BATCH_SIZE = 32
EPOCHS = 2
SEED: int | None = None


def compute_losses(
    outputs: dict[str, Tensor], targets: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The loss of each output, from the logits where the model gives them."""
    return {"label": F.cross_entropy(outputs["label"], targets["label"])}


def total_loss(model: Classifier, losses: dict[str, Tensor]) -> Tensor:
    """What training minimises: the loss."""
    return losses["label"]


def forward_batch(
    model: Classifier, batch: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The predictions and the losses of a batch of inputs and targets."""
    outputs = model(batch["image"], logits=True)
    losses = compute_losses(outputs, batch)
    predictions = {"label": F.softmax(outputs["label"], dim=-1)}
    return predictions, losses


def make_optimizer(model: Classifier) -> torch.optim.Optimizer:
    """RMSprop as Keras defines it."""
    return RMSprop(model.parameters(), lr=0.001, rho=0.9, epsilon=1e-08)


def make_metrics() -> dict[str, dict[str, Metric]]:
    """Fresh metrics, by output and name."""
    return {"label": {"accuracy": Metric(categorical_accuracy)}}


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
    model: Classifier,
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
    model: Classifier,
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
    model: Classifier, data: dict[str, Tensor], batch_size: int = BATCH_SIZE
) -> dict[str, np.ndarray]:
    """The outputs for the data, by name."""
    model.eval()
    parts = [model(batch["image"]) for batch in batches(data, batch_size)]
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
    model = Classifier().to(device)
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
