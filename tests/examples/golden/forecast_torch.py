"""Forecast, compiled by nndsl."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RecurrentCell(nn.Module):
    """What all recurrent cells share. Dropout is Keras's: its masks are drawn once per
    sequence, and with recurrent dropout there is one for each gate."""

    def __init__(
        self,
        inputs: int,
        units: int,
        gates: int = 1,
        states: int = 1,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.inputs, self.units, self.states = inputs, units, states
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.masks = gates if recurrent_dropout else 1

    def initial_state(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(x.new_zeros(x.shape[0], self.units) for _ in range(self.states))

    def draw(self, x: Tensor) -> list[list[Tensor]]:
        """The dropout masks of the input and of the state for one pass over x."""
        rates = ((self.dropout, self.inputs), (self.recurrent_dropout, self.units))
        return [
            [F.dropout(x.new_ones(x.shape[0], size), rate) for _ in range(self.masks)]
            if self.training and rate
            else []
            for rate, size in rates
        ]

    def project(self, x: Tensor, weight: Tensor, masks: list[Tensor]) -> Tensor:
        """x @ weight.T, where each gate sees x through its own dropout mask."""
        if not masks:
            return F.linear(x, weight)
        parts = zip(masks, weight.chunk(len(masks)), strict=True)
        return torch.cat([F.linear(x * mask, part) for mask, part in parts], dim=-1)


class LSTMCell(RecurrentCell):
    """Keras's LSTM cell: gates in the order input, forget, candidate, output, and one
    bias."""

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        bias: bool = True,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
        recurrent_activation: Callable[[Tensor], Tensor] = torch.sigmoid,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__(inputs, units, 4, 2, dropout, recurrent_dropout)
        self.weight_ih = nn.Parameter(torch.empty(4 * units, inputs))
        self.weight_hh = nn.Parameter(torch.empty(4 * units, units))
        self.bias_ih = nn.Parameter(torch.empty(4 * units)) if bias else None
        self.activation, self.recurrent_activation = activation, recurrent_activation

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], masks: list[list[Tensor]]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        h, c = state
        gates = self.project(x, self.weight_ih, masks[0])
        gates = gates + self.project(h, self.weight_hh, masks[1])
        if self.bias_ih is not None:
            gates = gates + self.bias_ih
        i, f, g, o = gates.chunk(4, dim=-1)
        i, f, o = map(self.recurrent_activation, (i, f, o))
        c = f * c + i * self.activation(g)
        h = o * self.activation(c)
        return h, (h, c)


def init_recurrent(module: nn.Module, forget: int = 0) -> None:
    """Keras's initial weights: Glorot uniform for the input, orthogonal for the state,
    zero biases, but 1 for the `forget` units of an LSTM's forget gate."""
    for name, weight in module.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
            if name.startswith("bias_hh") and isinstance(module, nn.LSTM | nn.RNN):
                weight.requires_grad_(False)  # Keras has one bias, torch two
            if forget and name.startswith("bias_ih"):
                nn.init.ones_(weight[forget : 2 * forget])


def scan(
    cell: RecurrentCell,
    x: Tensor,
    state: tuple[Tensor, ...] | None = None,
    mask: Tensor | None = None,
    *,
    reverse: bool = False,
    zero_output: bool = False,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Runs a cell over x [batch, time, features]: all outputs, in the order they were
    computed, and the last state. As in Keras a masked step keeps the state and repeats
    the last output (zeros before the first, and everywhere with `zero_output`)."""
    if state is None:
        state = cell.initial_state(x)
    drawn = cell.draw(x)
    outputs: list[Tensor] = []
    for t in reversed(range(x.shape[1])) if reverse else range(x.shape[1]):
        output, new = cell(x[:, t], state, drawn)
        if mask is not None:
            keep = mask[:, t, None]
            repeat = outputs and not zero_output
            held = outputs[-1] if repeat else torch.zeros_like(output)
            output = torch.where(keep, output, held)
            pairs = zip(new, state, strict=True)
            new = tuple(torch.where(keep, now, before) for now, before in pairs)
        outputs.append(output)
        state = new
    return torch.stack(outputs, dim=1), state


def absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean absolute difference of each sample."""
    return (prediction - target).abs().mean(-1)


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


def early_epsilon(epsilon: float) -> Callable[..., None]:
    """Makes Adam add epsilon before the second moment is corrected for its start at 0,
    as Keras does: the epsilon that torch adds behind the correction grows with it."""

    def before_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            group["count"] = group.get("count", 0) + 1
            correction = 1 - group["betas"][1] ** group["count"]
            group["eps"] = epsilon / correction**0.5

    return before_step


class Forecast(nn.Module):
    """The next 24 hours of six sensors from the last 48; missing hours are written as
    -1 and skipped.
    Data: `--data file.npz` with history and future, or `--data random`.

    Inputs:
        history: float32 [batch, 48, 6]
    Outputs:
        future: float32 [batch, 24, 6]
    """

    def __init__(self) -> None:
        super().__init__()
        self.future_lstm = LSTMCell(6, 64)
        self.future_layer_normalization = nn.LayerNorm(64, eps=0.001)
        self.future_lstm_2 = nn.LSTM(64, 64, batch_first=True)
        self.future_dense = nn.Linear(64, 6)
        nn.init.xavier_uniform_(self.future_dense.weight)
        nn.init.zeros_(self.future_dense.bias)
        init_recurrent(self.future_lstm, 64)
        init_recurrent(self.future_lstm_2, 64)

    def forward(self, history: Tensor) -> dict[str, Tensor]:
        mask = (history != -1.0).any(-1)
        x = torch.where((history != -1.0).any(-1, keepdim=True), history, 0.0)
        outputs, _ = scan(self.future_lstm, x, mask=mask)
        x = outputs[:, -1]  # [batch, 64]
        x = self.future_layer_normalization(x)
        x = x.unsqueeze(1).expand(-1, 24, -1)  # [batch, 24, 64]
        x, _ = self.future_lstm_2(x)
        future = self.future_dense(x)  # [batch, 24, 6]
        return {"future": future}


ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = {
    "history": ((48, 6), torch.float32),
    "future": ((24, 6), torch.float32),
}
INPUTS = ("history",)
TARGETS = ("future",)
BATCH_SIZE = 32
EPOCHS = 20
SEED: int | None = None


def compute_losses(
    outputs: dict[str, Tensor], targets: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The loss of each output."""
    return {"future": F.mse_loss(outputs["future"], targets["future"])}


def total_loss(model: Forecast, losses: dict[str, Tensor]) -> Tensor:
    """What training minimises: the loss."""
    return losses["future"]


def forward_batch(
    model: Forecast, batch: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The predictions and the losses of a batch of inputs and targets."""
    outputs = model(batch["history"])
    losses = compute_losses(outputs, batch)
    return outputs, losses


def make_optimizer(model: Forecast) -> torch.optim.Optimizer:
    """Adam as Keras defines it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, betas=(0.9, 0.999))
    optimizer.register_step_pre_hook(early_epsilon(1e-07))
    return optimizer


def make_metrics() -> dict[str, dict[str, Metric]]:
    """Fresh metrics, by output and name."""
    return {"future": {"mae": Metric(absolute_error)}}


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
    model: Forecast,
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
    model: Forecast,
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
    model: Forecast, data: dict[str, Tensor], batch_size: int = BATCH_SIZE
) -> dict[str, np.ndarray]:
    """The outputs for the data, by name."""
    model.eval()
    parts = [model(batch["history"]) for batch in batches(data, batch_size)]
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
    except Exception as error:  # a broken file fails in many ways
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
    model = Forecast().to(device)
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
    except Exception as error:  # a broken file fails in many ways
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
