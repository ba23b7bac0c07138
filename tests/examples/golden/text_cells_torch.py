"""TextCells, compiled by nndsl."""

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


class GRUCell(RecurrentCell):
    """Keras's GRU cell: gates in the order update, reset, candidate; `reset_after` says
    whether the reset gate acts behind the recurrent kernel."""

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
        reset_after: bool = True,
    ) -> None:
        super().__init__(inputs, units, 3, 1, dropout, recurrent_dropout)
        self.weight_ih = nn.Parameter(torch.empty(3 * units, inputs))
        self.weight_hh = nn.Parameter(torch.empty(3 * units, units))
        self.bias_ih = nn.Parameter(torch.empty(3 * units)) if bias else None
        both = bias and reset_after
        self.bias_hh = nn.Parameter(torch.empty(3 * units)) if both else None
        self.activation, self.recurrent_activation = activation, recurrent_activation
        self.reset_after = reset_after

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], masks: list[list[Tensor]]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        (h,) = state
        gates = self.project(x, self.weight_ih, masks[0])
        if self.bias_ih is not None:
            gates = gates + self.bias_ih
        x_z, x_r, x_h = gates.chunk(3, dim=-1)
        if self.reset_after:
            gates = self.project(h, self.weight_hh, masks[1])
            if self.bias_hh is not None:
                gates = gates + self.bias_hh
            h_z, h_r, h_h = gates.chunk(3, dim=-1)
            reset = self.recurrent_activation(x_r + h_r)
            candidate = self.activation(x_h + reset * h_h)
        else:
            gates, last = self.weight_hh.tensor_split([2 * self.units])
            h_z, h_r = self.project(h, gates, masks[1][:2]).chunk(2, dim=-1)
            reset = self.recurrent_activation(x_r + h_r)
            kept = reset * h * masks[1][2] if masks[1] else reset * h
            candidate = self.activation(x_h + F.linear(kept, last))
        update = self.recurrent_activation(x_z + h_z)
        h = update * h + (1 - update) * candidate
        return h, (h,)


class SimpleRNNCell(RecurrentCell):
    """Keras's simple recurrent cell: activation(x @ kernel + bias + h @ recurrent)."""

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        bias: bool = True,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__(inputs, units, 1, 1, dropout, recurrent_dropout)
        self.weight_ih = nn.Parameter(torch.empty(units, inputs))
        self.weight_hh = nn.Parameter(torch.empty(units, units))
        self.bias_ih = nn.Parameter(torch.empty(units)) if bias else None
        self.activation = activation

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], masks: list[list[Tensor]]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        h = self.project(x, self.weight_ih, masks[0])
        if self.bias_ih is not None:
            h = h + self.bias_ih
        h = self.activation(h + self.project(state[0], self.weight_hh, masks[1]))
        return h, (h,)


class StackedCells(RecurrentCell):
    """Several recurrent cells as one: each step runs through all of them, and the state
    is that of the cells in a row."""

    def __init__(self, *cells: RecurrentCell) -> None:
        states = sum(cell.states for cell in cells)
        super().__init__(cells[0].inputs, cells[-1].units, states=states)
        self.cells = nn.ModuleList(cells)
        self.order = cells

    def initial_state(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(part for cell in self.order for part in cell.initial_state(x))

    def draw(self, x: Tensor) -> list[list[Tensor]]:
        return [masks for cell in self.order for masks in cell.draw(x)]

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], masks: list[list[Tensor]]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        after: list[Tensor] = []
        for i, cell in enumerate(self.order):
            own = state[len(after) : len(after) + cell.states]
            x, new = cell(x, own, masks[2 * i : 2 * i + 2])
            after.extend(new)
        return x, tuple(after)


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


def scan(
    cell: RecurrentCell,
    x: Tensor,
    state: tuple[Tensor, ...] | None = None,
    mask: Tensor | None = None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Runs a cell over x [batch, time, features]: all outputs and the last state. As in
    Keras a step that `mask` [batch, time] leaves out keeps the state and repeats the
    last output (zeros before the first)."""
    if state is None:
        state = cell.initial_state(x)
    drawn = cell.draw(x)
    outputs: list[Tensor] = []
    for t in range(x.shape[1]):
        output, new = cell(x[:, t], state, drawn)
        if mask is not None:
            keep = mask[:, t, None]
            held = outputs[-1] if outputs else torch.zeros_like(output)
            output = torch.where(keep, output, held)
            pairs = zip(new, state, strict=True)
            new = tuple(torch.where(keep, now, before) for now, before in pairs)
        outputs.append(output)
        state = new
    return torch.stack(outputs, dim=1), state


def masked_scan(
    cell: nn.LSTMCell | nn.GRUCell | nn.RNNCell,
    x: Tensor,
    mask: Tensor,
    state: tuple[Tensor, ...] | None = None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Runs a cell over x [batch, time, features]: all outputs and the last state. As in
    Keras a step that `mask` [batch, time] leaves out keeps the state and repeats the
    last output (zeros before the first)."""
    is_lstm = isinstance(cell, nn.LSTMCell)
    if state is None:
        zeros = x.new_zeros(len(x), cell.hidden_size)
        state = (zeros, zeros) if is_lstm else (zeros,)
    output = torch.zeros_like(state[0])
    outputs: list[Tensor] = []
    for step, keep in zip(x.unbind(1), mask.unsqueeze(-1).unbind(1), strict=True):
        new = cell(step, state) if is_lstm else (cell(step, *state),)
        pairs = zip(new, state, strict=True)
        state = tuple(torch.where(keep, now, before) for now, before in pairs)
        output = torch.where(keep, new[0], output)
        outputs.append(output)
    return torch.stack(outputs, dim=1), state


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


def binary_accuracy(
    prediction: Tensor, target: Tensor, threshold: float = 0.5
) -> Tensor:
    """The share of numbers on the right side of the threshold."""
    return ((prediction > threshold) == target).to(prediction.dtype).mean(-1)


def early_epsilon(epsilon: float) -> Callable[..., None]:
    """Makes Adam add epsilon before the second moment is corrected for its start at 0,
    as Keras does: the epsilon that torch adds behind the correction grows with it."""

    def before_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            group["count"] = group.get("count", 0) + 1
            correction = 1 - group["betas"][1] ** group["count"]
            group["eps"] = epsilon / correction**0.5

    return before_step


class TextCells(nn.Module):
    """Is a review kind or unkind? Recurrent layers built from cells, stacked two to a
    step; 0 pads the shorter reviews.
    Data: `--data file.npz` with words and kind, or `--data random`.

    Inputs:
        words: int32 [batch, T]
    Outputs:
        kind: float32 [batch, 1]
    """

    def __init__(self) -> None:
        super().__init__()
        self.kind_embedding = nn.Embedding(20000, 64)
        self.kind_rnn = StackedCells(GRUCell(64, 64), SimpleRNNCell(64, 48))
        self.kind_rnn_2 = nn.LSTMCell(48, 32)
        self.kind = nn.Linear(32, 1)
        nn.init.uniform_(self.kind_embedding.weight, -0.05, 0.05)
        nn.init.xavier_uniform_(self.kind.weight)
        nn.init.zeros_(self.kind.bias)
        init_recurrent(self.kind_rnn)
        init_recurrent(self.kind_rnn_2, 32)

    def forward(self, words: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        mask = words != 0
        x = self.kind_embedding(words)  # [batch, T, 64]
        x, _ = scan(self.kind_rnn, x, mask=mask)
        outputs, _ = masked_scan(self.kind_rnn_2, x, mask)
        x = outputs[:, -1]  # [batch, 32]
        kind = self.kind(x)  # [batch, 1]
        if not logits:
            kind = torch.sigmoid(kind)
        return {"kind": kind}


ARRAYS: dict[str, tuple[tuple[int | None, ...], torch.dtype]] = {
    "words": ((None,), torch.int32),
    "kind": ((1,), torch.float32),
}
INPUTS = ("words",)
TARGETS = ("kind",)
BATCH_SIZE = 64
EPOCHS = 5
SEED: int | None = None


def compute_losses(
    outputs: dict[str, Tensor], targets: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The loss of each output, from the logits where the model gives them."""
    return {
        "kind": F.binary_cross_entropy_with_logits(outputs["kind"], targets["kind"]),
    }


def total_loss(model: TextCells, losses: dict[str, Tensor]) -> Tensor:
    """What training minimises: the loss."""
    return losses["kind"]


def forward_batch(
    model: TextCells, batch: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The predictions and the losses of a batch of inputs and targets."""
    outputs = model(batch["words"], logits=True)
    losses = compute_losses(outputs, batch)
    predictions = {"kind": torch.sigmoid(outputs["kind"])}
    return predictions, losses


def make_optimizer(model: TextCells) -> torch.optim.Optimizer:
    """Adam as Keras defines it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, betas=(0.9, 0.999))
    optimizer.register_step_pre_hook(early_epsilon(1e-07))
    return optimizer


def make_metrics() -> dict[str, dict[str, Metric]]:
    """Fresh metrics, by output and name."""
    return {"kind": {"accuracy": Metric(binary_accuracy)}}


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
    model: TextCells,
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
    model: TextCells,
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
    model: TextCells, data: dict[str, Tensor], batch_size: int = BATCH_SIZE
) -> dict[str, np.ndarray]:
    """The outputs for the data, by name."""
    model.eval()
    parts = [model(batch["words"]) for batch in batches(data, batch_size)]
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
    model = TextCells().to(device)
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
