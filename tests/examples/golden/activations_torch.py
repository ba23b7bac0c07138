"""Activations, compiled by nndsl."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def selu(x: Tensor) -> Tensor:
    """Scaled exponential linear unit; the gradient of F.selu at exactly 0 is not Keras's."""
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    negative = scale * alpha * torch.expm1(x.clamp(max=0.0))
    return torch.where(x < 0, negative, scale * x)


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Continuously differentiable ELU; the gradient of F.celu at exactly 0 is not Keras's."""
    positive, negative = x.clamp(min=0.0), x.clamp(max=0.0)
    return positive + alpha * torch.expm1(negative / alpha)


def sparse_plus(x: Tensor) -> Tensor:
    """0 up to -1, x from 1 on, and (x + 1)² / 4 in between."""
    curve = torch.where(x < 1, torch.square(x + 1) / 4, x)
    return torch.where(x <= -1, torch.zeros_like(x), curve)


class Optimizer(torch.optim.Optimizer):
    """An optimizer whose `update` changes one weight by its gradient."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, p.grad, self.state[p], group)
        return loss

    def update(
        self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        raise NotImplementedError


def early_epsilon(epsilon: float) -> Callable[..., None]:
    """Makes Adam add epsilon before the second moment is corrected for its start at 0,
    as Keras does: the epsilon that torch adds behind the correction grows with it."""

    def before_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            group["count"] = group.get("count", 0) + 1
            correction = 1 - group["betas"][1] ** group["count"]
            group["eps"] = epsilon / correction**0.5

    return before_step


def init_weights(module: nn.Module) -> None:
    """Keras's defaults: Glorot uniform kernels, zero biases."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Activations(nn.Module):
    """The activations of Keras side by side: one hidden layer seen through each of
    them.
    Data: `--data file.npz` with features and value, or `--data random`.

    Inputs:
        features: float32 [batch, 16]
    Outputs:
        value: float32 [batch, 1]
    """

    def __init__(self) -> None:
        super().__init__()
        self.curves_dense = nn.Linear(16, 8)
        self.value = nn.Linear(216, 1)
        self.apply(init_weights)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        x = self.curves_dense(features)  # [batch, 8]
        curves_activation_2 = F.relu(x)
        curves_activation_3 = F.relu6(x)
        curves_activation_4 = F.leaky_relu(x, negative_slope=0.2)
        curves_activation_5 = F.elu(x)
        curves_activation_6 = selu(x)
        curves_activation_7 = celu(x)
        curves_activation_8 = F.gelu(x)
        curves_activation_9 = F.silu(x)
        curves_activation_10 = F.mish(x)
        curves_activation_11 = F.softplus(x)
        curves_activation_12 = F.softsign(x)
        curves_activation_13 = torch.sigmoid(x)
        curves_activation_14 = F.hardsigmoid(x)
        curves_activation_15 = x * F.hardsigmoid(x)
        curves_activation_16 = F.logsigmoid(x)
        curves_activation_17 = torch.tanh(x)
        curves_activation_18 = x.clamp(-1.0, 1.0)
        curves_activation_19 = F.tanhshrink(x)
        curves_activation_20 = F.softshrink(x)
        curves_activation_21 = F.hardshrink(x)
        curves_activation_22 = (x + torch.sqrt(torch.square(x) + 4.0)) / 2
        curves_activation_23 = sparse_plus(x)
        curves_activation_24 = (F.hardtanh(x) + 1) / 2
        curves_activation_25 = torch.exp(x)
        curves_activation_26 = F.softmax(x, dim=-1)
        x = F.log_softmax(x, dim=-1)
        # [batch, 216]
        curves = torch.cat(
            [
                x,
                curves_activation_2,
                curves_activation_3,
                curves_activation_4,
                curves_activation_5,
                curves_activation_6,
                curves_activation_7,
                curves_activation_8,
                curves_activation_9,
                curves_activation_10,
                curves_activation_11,
                curves_activation_12,
                curves_activation_13,
                curves_activation_14,
                curves_activation_15,
                curves_activation_16,
                curves_activation_17,
                curves_activation_18,
                curves_activation_19,
                curves_activation_20,
                curves_activation_21,
                curves_activation_22,
                curves_activation_23,
                curves_activation_24,
                curves_activation_25,
                curves_activation_26,
                x,
            ],
            dim=-1,
        )
        value = self.value(curves)  # [batch, 1]
        return {"value": value}


ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = {
    "features": ((16,), torch.float32),
    "value": ((1,), torch.float32),
}
INPUTS = ("features",)
TARGETS = ("value",)
BATCH_SIZE = 32
EPOCHS = 20
SEED: int | None = None


def forward_batch(
    model: Activations,
    batch: dict[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The predictions and the losses of a batch, which holds all arrays by name."""
    outputs = model(batch["features"])
    losses = compute_losses(outputs, batch)
    return outputs, losses


def compute_losses(
    outputs: dict[str, Tensor],
    targets: dict[str, Tensor],
) -> dict[str, Tensor]:
    """The loss of each output."""
    return {"value": F.mse_loss(outputs["value"], targets["value"])}


def total_loss(
    model: Activations,
    losses: dict[str, Tensor],
) -> Tensor:
    """What training minimises: the weighted losses and all penalties."""
    return losses["value"]


def make_optimizer(model: Activations) -> torch.optim.Optimizer:
    """Adam as Keras defines it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, betas=(0.9, 0.999))
    optimizer.register_step_pre_hook(early_epsilon(1e-07))
    return optimizer


class Report:
    """Losses over batches, each batch weighted by its size."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.count = 0

    @torch.no_grad()
    def add(
        self,
        batch: dict[str, Tensor],
        predictions: dict[str, Tensor],
        losses: dict[str, Tensor],
        total: Tensor,
    ) -> None:
        size = len(batch[INPUTS[0]])
        self.count += size
        self.sums["loss"] = self.sums.get("loss", 0) + total.detach() * size

    def logs(self) -> dict[str, float]:
        logs = {name: float(value) / self.count for name, value in self.sums.items()}
        return logs


def batches(
    data: dict[str, Tensor],
    size: int,
    device: torch.device,
    rng: np.random.Generator | None = None,
) -> Iterator[dict[str, Tensor]]:
    """Batches of the data, in a random order if `rng` is given."""
    count = len(data[INPUTS[0]])
    order = np.arange(count) if rng is None else rng.permutation(count)
    for start in range(0, count, size):
        chosen = torch.from_numpy(order[start : start + size])
        yield {name: array[chosen].to(device) for name, array in data.items()}


def train(
    model: Activations,
    data: dict[str, Tensor],
    validation: dict[str, Tensor] | None = None,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    seed: int | None = SEED,
) -> None:
    """Trains the model; evaluates it on the validation data after every epoch."""
    device = next(model.parameters()).device
    optimizer = make_optimizer(model)
    rng = np.random.default_rng(seed)
    for epoch in range(epochs):
        report = Report()
        for batch in batches(data, batch_size, device, rng):
            model.train()
            optimizer.zero_grad()
            predictions, losses = forward_batch(model, batch)
            total = total_loss(model, losses)
            torch.autograd.backward(total)
            optimizer.step()
            report.add(batch, predictions, losses, total)
        logs = report.logs()
        if validation is not None:
            values = evaluate(model, validation, batch_size)
            logs.update({f"val_{name}": value for name, value in values.items()})
        print(f"epoch {epoch + 1}/{epochs}: {show(logs)}", flush=True)


@torch.no_grad()
def evaluate(
    model: Activations,
    data: dict[str, Tensor],
    batch_size: int = BATCH_SIZE,
) -> dict[str, float]:
    """The losses of the data, by name."""
    model.eval()
    report = Report()
    for batch in batches(data, batch_size, next(model.parameters()).device):
        predictions, losses = forward_batch(model, batch)
        total = total_loss(model, losses)
        report.add(batch, predictions, losses, total)
    return report.logs()


@torch.no_grad()
def predict(
    model: Activations,
    data: dict[str, Tensor],
    batch_size: int = BATCH_SIZE,
) -> dict[str, np.ndarray]:
    """What the model predicts for the data, by output."""
    model.eval()
    device = next(model.parameters()).device
    parts: list[dict[str, Tensor]] = []
    for batch in batches(data, batch_size, device):
        parts.append(model(batch["features"]))
    names = parts[0].keys()
    return {name: torch.cat([p[name].cpu() for p in parts]).numpy() for name in names}


def show(logs: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in logs.items())


def to_tensor(name: str, array: np.ndarray) -> Tensor:
    """An array as the model takes it; ValueError where it does not fit."""
    shape, dtype = ARRAYS[name]
    if array.ndim == len(shape) and shape[-1:] == (1,):
        array = array[..., None]
    elif array.ndim == len(shape) + 2 and array.shape[-1] == 1:
        array = array[..., 0]
    sizes = zip(shape, array.shape[1:], strict=False)
    if array.ndim != len(shape) + 1 or any(w not in (None, n) for w, n in sizes):
        wanted = ("samples", *("any" if size is None else size for size in shape))
        raise ValueError(f"{name} must have the shape {wanted}, not {array.shape}")
    if array.dtype.kind not in ("biu" if not dtype.is_floating_point else "biuf"):
        raise ValueError(f"{name} must hold {dtype}, not {array.dtype}")
    tensor = torch.from_numpy(array.astype(array.dtype.newbyteorder("="))).to(dtype)
    return tensor


def load_data(path: str, names: tuple[str, ...]) -> dict[str, Tensor]:
    """The arrays of an .npz file; ValueError where one is missing or does not fit."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except OSError:
        raise
    except Exception as error:  # a broken file fails in many ways
        raise ValueError(f"not an .npz file of numbers: {error}") from None
    for name in names:
        if name not in arrays:
            found = ", ".join(arrays) or "nothing"
            raise ValueError(f"there is no array {name} (the file has {found})")
    data = {name: to_tensor(name, arrays[name]) for name in names}
    counts = {name: len(tensor) for name, tensor in data.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise ValueError(f"all arrays must have as many samples, 1 or more: {counts}")
    return data


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` takes a GPU where there is one."""
    mps = torch.backends.mps.is_available()
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": mps}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if found[kind])
    if not found[name]:
        raise ValueError(f"there is no {name} device that can run this model")
    return torch.device(name)


def load_weights(
    model: Activations,
    path: str,
    device: torch.device,
) -> None:
    try:
        model.load_state_dict(torch.load(path, device, weights_only=True))
    except OSError:
        raise
    except Exception as error:  # a broken file fails in many ways
        raise ValueError(f"{path} has no weights of this model: {error}") from None


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def main() -> None:
    """The command line: train, evaluate or predict from an .npz file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("train", "evaluate", "predict"):
        command = commands.add_parser(name)
        command.add_argument("data", help="an .npz file with an array for each name")
        command.add_argument("--weights", default="model.pt", metavar="FILE")
        command.add_argument(
            "--device", choices=["auto", "cpu", "cuda", "mps"], default="auto"
        )
        command.add_argument("--batch-size", type=positive, default=BATCH_SIZE)
        if name == "predict":
            command.add_argument("-o", "--output", default="predictions.npz")
        if name == "train":
            command.add_argument("--validation", help="another .npz file")
            command.add_argument("--epochs", type=positive, default=EPOCHS)
            command.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    try:
        run(args)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{parser.prog}: error: {error}") from None


def run(args: argparse.Namespace) -> None:
    device = pick_device(args.device)
    names = INPUTS if args.command == "predict" else INPUTS + TARGETS
    data = load_data(args.data, names)
    if args.command == "train":
        if args.seed is not None:
            torch.manual_seed(args.seed)
        validation = None
        if args.validation:
            validation = load_data(args.validation, names)
        model = Activations().to(device)
        train(model, data, validation, args.epochs, args.batch_size, args.seed)
        torch.save(model.state_dict(), args.weights)
        return
    model = Activations().to(device)
    load_weights(model, args.weights, device)
    if args.command == "evaluate":
        print(show(evaluate(model, data, args.batch_size)))
    else:
        arrays: dict[str, Any] = predict(model, data, args.batch_size)
        np.savez(args.output, **arrays)


if __name__ == "__main__":
    main()
