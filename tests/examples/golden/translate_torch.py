"""Translate, compiled by nndsl."""

import argparse
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


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


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of the values where the mask is true; 0 where it is true nowhere."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


def weighted_sum(values: Tensor, weight: Tensor | None = None) -> Tensor:
    """The sum of the values times their weights, and the sum of the weights: [2]."""
    if weight is None:
        weight = torch.ones_like(values)
    return torch.stack([(values * weight).sum(), weight.expand_as(values).sum()])


def ratio(a: Tensor, b: Tensor) -> Tensor:
    """a / b, and 0 where b is 0."""
    divisor = torch.where(b == 0, 1.0, b)
    return torch.where(b == 0, 0.0, a / divisor)


class RMSprop(optim.Optimizer):
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
                    state["velocity"] = torch.zeros_like(p)
                square = state["velocity"]
                square.mul_(rho).addcmul_(p.grad, p.grad, value=1 - rho)
                p.sub_(lr * p.grad / (square + epsilon).sqrt())
        return loss


class Translate(nn.Module):
    """A sentence in another language: the encoder's last state is where the decoder
    begins (after Keras's seq2seq tutorial).
    Data: `--data file.npz` with source_words, known_words and next_words (padded
    with 0), or `--data random`.

    Inputs:
        source_words: int32 [batch, S]
        known_words: int32 [batch, T]
    Outputs:
        next_words: float32 [batch, T, 6000]
    """

    def __init__(self) -> None:
        super().__init__()
        self.output_masks = dict[str, Tensor]()
        self.h_embedding = nn.Embedding(8000, 128)
        self.h = nn.LSTMCell(128, 128)
        self.next_words_embedding = nn.Embedding(6000, 128)
        self.next_words_lstm = nn.LSTMCell(128, 128)
        self.next_words = nn.Linear(128, 6000)
        nn.init.uniform_(self.h_embedding.weight, -0.05, 0.05)
        nn.init.uniform_(self.next_words_embedding.weight, -0.05, 0.05)
        nn.init.xavier_uniform_(self.next_words.weight)
        nn.init.zeros_(self.next_words.bias)
        init_recurrent(self.h, 128)
        init_recurrent(self.next_words_lstm, 128)

    def forward(
        self, source_words: Tensor, known_words: Tensor, *, logits: bool = False
    ) -> dict[str, Tensor]:
        mask = source_words != 0
        x = self.h_embedding(source_words)  # [batch, S, 128]
        _, (h, c) = masked_scan(self.h, x, mask)
        mask_2 = known_words != 0
        x = self.next_words_embedding(known_words)  # [batch, T, 128]
        x, _ = masked_scan(self.next_words_lstm, x, mask_2, (h, c))
        next_words = self.next_words(x)  # [batch, T, 6000]
        self.output_masks = {"next_words": mask_2}
        return {"next_words": next_words if logits else F.softmax(next_words, dim=-1)}


Data = dict[str, Tensor]
ARRAYS = {
    "source_words": ((None,), torch.int32),
    "known_words": ((None,), torch.int32),
    "next_words": ((None,), torch.int64),
}


def measure(model: Translate, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    outputs = model(batch["source_words"], batch["known_words"], logits=True)
    prediction, target = outputs["next_words"], batch["next_words"]
    mask = model.output_masks["next_words"]
    values = {
        "loss": masked_mean(
            F.cross_entropy(prediction.movedim(-1, 1), target, reduction="none"), mask
        ),
    }
    values["accuracy"] = weighted_sum((prediction.argmax(-1) == target).float(), mask)
    return values


def results(means: Data) -> dict[str, float]:
    """What is reported, from the means and totals over all samples."""
    means["accuracy"] = ratio(*means["accuracy"])
    return {name: float(mean) for name, mean in means.items()}


def make_optimizer(model: Translate) -> optim.Optimizer:
    return RMSprop(model.parameters(), lr=0.001, rho=0.9, epsilon=1e-07)


def run(
    model: Translate, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["source_words"]), Data()
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
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", dest="size", type=int, default=64)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Translate().to(device)
        optimizer = make_optimizer(model)
        names = (
            ["source_words", "known_words"]
            if args.command == "predict"
            else list(ARRAYS)
        )
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
            splits = [
                torch.split(x, args.size)
                for x in [data["source_words"], data["known_words"]]
            ]
            parts = list(map(model.eval(), *splits))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
