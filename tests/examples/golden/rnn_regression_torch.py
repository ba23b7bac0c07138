"""RNNRegression, compiled by nndsl."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def init_recurrent(module: nn.Module, forget: int = 0) -> None:
    """Keras's initial weights: Glorot uniform for the input, orthogonal for the state,
    zero biases, but 1 for the `forget` units of an LSTM's forget gate."""
    one_bias = isinstance(module, nn.LSTM | nn.LSTMCell | nn.RNN | nn.RNNCell)
    for name, weight in module.named_parameters():
        if "weight_ih" in name:
            nn.init.xavier_uniform_(weight)
        elif "weight_hh" in name:
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
            if "bias_hh" in name and one_bias:
                weight.requires_grad_(False)  # Keras has one bias, torch two
            if forget and "bias_ih" in name:
                nn.init.ones_(weight[forget : 2 * forget])


def early_epsilon(epsilon: float) -> Callable[..., None]:
    """Makes Adam add epsilon before the second moment is corrected for its start at 0,
    as Keras does: the epsilon that torch adds behind the correction grows with it."""

    def before_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            group["count"] = group.get("count", 0) + 1
            correction = 1 - group["betas"][1] ** group["count"]
            group["eps"] = epsilon / correction**0.5

    return before_step


class RNNRegression(nn.Module):
    """From a sine to its cosine, the lesson on recurrent regression: a stateful LSTM
    carries its state from batch to batch.
    Data: built in, a made series.

    Inputs:
        sine: float32 [50, 20, 1]
    Outputs:
        cosine: float32 [50, 20, 1]
    """

    cosine_lstm_h: Tensor
    cosine_lstm_c: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.cosine_lstm = nn.LSTM(1, 20, batch_first=True)
        self.register_buffer("cosine_lstm_h", torch.zeros(1, 50, 20), persistent=False)
        self.register_buffer("cosine_lstm_c", torch.zeros(1, 50, 20), persistent=False)
        self.cosine_dense = nn.Linear(20, 1)
        nn.init.xavier_uniform_(self.cosine_dense.weight)
        nn.init.zeros_(self.cosine_dense.bias)
        init_recurrent(self.cosine_lstm, 20)

    def forward(self, sine: Tensor) -> dict[str, Tensor]:
        x, (h, c) = self.cosine_lstm(sine, (self.cosine_lstm_h, self.cosine_lstm_c))
        self.cosine_lstm_h = h.detach()
        self.cosine_lstm_c = c.detach()
        cosine = self.cosine_dense(x)  # [50, 20, 1]
        return {"cosine": cosine}

    def reset_state(self) -> None:
        """Forgets what earlier batches have left behind."""
        self.cosine_lstm_h = torch.zeros_like(self.cosine_lstm_h)
        self.cosine_lstm_c = torch.zeros_like(self.cosine_lstm_c)


ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = {
    "sine": ((20, 1), torch.float32),
    "cosine": ((20, 1), torch.float32),
}
INPUTS = ("sine",)
TARGETS = ("cosine",)
BATCH_SIZE = 50
STEPS = 501
EVALUATE_EVERY = 50
SEED: int | None = None


def compute_losses(
    outputs: dict[str, Tensor], targets: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The loss of each output."""
    return {"cosine": F.mse_loss(outputs["cosine"], targets["cosine"])}


def total_loss(model: RNNRegression, losses: dict[str, Tensor]) -> Tensor:
    """What training minimises: the loss."""
    return losses["cosine"]


def forward_batch(
    model: RNNRegression, batch: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The predictions and the losses of a batch of inputs and targets."""
    outputs = model(batch["sine"])
    losses = compute_losses(outputs, batch)
    return outputs, losses


def make_optimizer(model: RNNRegression) -> torch.optim.Optimizer:
    """Adam as Keras defines it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.006, betas=(0.9, 0.999))
    optimizer.register_step_pre_hook(early_epsilon(1e-07))
    return optimizer


def batches(data: dict[str, Tensor], size: int) -> Iterator[dict[str, Tensor]]:
    """The samples in their order, `size` at a time."""
    for start in range(0, len(data[INPUTS[0]]), size):
        yield {name: array[start : start + size] for name, array in data.items()}


def endless_batches(
    model: RNNRegression,
    data: dict[str, Tensor],
    size: int,
) -> Iterator[dict[str, Tensor]]:
    """The batches again and again."""
    while True:
        model.reset_state()
        yield from batches(data, size)


def run(
    model: RNNRegression,
    batches: Iterable[dict[str, Tensor]],
    optimizer: torch.optim.Optimizer | None = None,
) -> dict[str, float]:
    """The mean losses over batches; with an optimizer it trains."""
    model.train(optimizer is not None)
    if optimizer is None:
        model.reset_state()
    loss_sum: Tensor | float = 0.0
    count = 0
    for batch in batches:
        with torch.set_grad_enabled(optimizer is not None):
            _, losses = forward_batch(model, batch)
            loss = total_loss(model, losses)
        if optimizer is not None:
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        size = len(batch[INPUTS[0]])
        count += size
        loss_sum += loss.detach() * size
    logs = {"loss": float(loss_sum) / count}
    return logs


def train(
    model: RNNRegression,
    data: dict[str, Tensor],
    validation: dict[str, Tensor] | None = None,
    steps: int = STEPS,
    batch_size: int = BATCH_SIZE,
) -> None:
    """Trains the model; shows how it does every 50 steps."""
    optimizer = make_optimizer(model)
    stream = endless_batches(model, data, batch_size)
    for start in range(0, steps, EVALUATE_EVERY):
        end = min(start + EVALUATE_EVERY, steps)
        logs = run(model, itertools.islice(stream, end - start), optimizer)
        if validation is not None:
            values = run(model, batches(validation, batch_size))
            logs |= {f"val_{name}": value for name, value in values.items()}
        print(f"step {end}/{steps}: {show(logs)}", flush=True)


def show(logs: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in logs.items())


@torch.no_grad()
def predict(
    model: RNNRegression, data: dict[str, Tensor], batch_size: int = BATCH_SIZE
) -> dict[str, np.ndarray]:
    """The outputs for the data, by name."""
    model.eval()
    model.reset_state()
    parts = [model(batch["sine"]) for batch in batches(data, batch_size)]
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
    if counts[names[0]] % BATCH_SIZE:
        raise ValueError(f"the samples must make whole batches of {BATCH_SIZE}")
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
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()

    if args.seed is not None:
        torch.manual_seed(args.seed)
    device = pick_device(args.device)
    model = RNNRegression().to(device)
    names = INPUTS if args.command == "predict" else INPUTS + TARGETS
    data = load_data(args.data, names, device)
    if args.command == "train":
        validation = None
        if args.validation:
            validation = load_data(args.validation, names, device)
        train(model, data, validation, args.steps, BATCH_SIZE)
        torch.save(model.state_dict(), args.weights)
        return
    try:
        model.load_state_dict(torch.load(args.weights, device, weights_only=True))
    except Exception as error:  # noqa: BLE001 (broken files fail in many ways)
        raise ValueError(f"{args.weights} has no such weights: {error}") from None
    if args.command == "evaluate":
        print(show(run(model, batches(data, BATCH_SIZE))))
        return
    arrays: dict[str, Any] = predict(model, data, BATCH_SIZE)
    np.savez(args.output, **arrays)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from None
