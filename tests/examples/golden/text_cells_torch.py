"""TextCells, compiled by nndsl."""

import argparse
from collections.abc import Callable
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


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


def binary_accuracy(
    prediction: Tensor, target: Tensor, threshold: float = 0.5
) -> Tensor:
    """The share of numbers on the right side of the threshold."""
    return ((prediction > threshold) == target).to(prediction.dtype).mean(-1)


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class TextCells(nn.Module):
    """Is a review kind or unkind? Recurrent layers built from cells, stacked two to a
    step; 0 pads the shorter reviews.
    Data: `--data file.npz` with words and kind, or `--data random`.

    Maps words, int32 [batch, T], to kind, float32 [batch, 1].
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
        return {"kind": kind if logits else torch.sigmoid(kind)}


Data = dict[str, Tensor]
ARRAYS = {"words": ((None,), torch.int32), "kind": ((1,), torch.float32)}


def measure(model: TextCells, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction, target = model(batch["words"], logits=True)["kind"], batch["kind"]
    values = {"loss": F.binary_cross_entropy_with_logits(prediction, target)}
    prediction = torch.sigmoid(prediction)
    values["accuracy"] = torch.mean(binary_accuracy(prediction, target))
    return values


def make_optimizer(model: TextCells) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def run(
    model: TextCells, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["words"]), Data()
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
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", dest="size", type=int, default=64)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = TextCells().to(device)
        optimizer = make_optimizer(model)
        names = ["words"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["words"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
