"""Compare, compiled by nndsl."""

import argparse
from itertools import zip_longest

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


def maximum(x: Tensor, y: Tensor) -> Tensor:
    """Elementwise maximum; where both are equal the gradient goes to `x`, as in Keras
    (torch.maximum halves it)."""
    return torch.where((x >= y) | x.isnan(), x, y)


def minimum(x: Tensor, y: Tensor) -> Tensor:
    """Elementwise minimum; where both are equal the gradient goes to `x`, as in Keras
    (torch.minimum halves it)."""
    return torch.where((x <= y) | x.isnan(), x, y)


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


class Compare(nn.Module):
    """Do two questions ask the same? One reader for both, then every way of comparing
    what it read.
    Data: `--data file.npz` with first, second and duplicate, or `--data random`.

    Inputs:
        first: int32 [batch, S]
        second: int32 [batch, T]
    Outputs:
        duplicate: float32 [batch, 1]
    """

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20000, 64)
        self.reader = nn.GRU(64, 32, batch_first=True, bidirectional=True)
        self.duplicate_dense = nn.Linear(321, 64)
        self.duplicate = nn.Linear(64, 1)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)
        nn.init.uniform_(self.words.weight, -0.05, 0.05)
        init_recurrent(self.reader)

    def forward(
        self, first: Tensor, second: Tensor, *, logits: bool = False
    ) -> dict[str, Tensor]:
        x = self.words(first)  # [batch, S, 64]
        _, h = self.reader(x)
        a = torch.cat((h[0], h[1]), dim=-1)  # [batch, 64]
        x = self.words(second)  # [batch, T, 64]
        _, h_2 = self.reader(x)
        b = torch.cat((h_2[0], h_2[1]), dim=-1)  # [batch, 64]
        # [batch, 1]
        agreement = (
            F.normalize(a, dim=1, eps=1e-07) * F.normalize(b, dim=1, eps=1e-07)
        ).sum(1, keepdim=True)
        difference = a - b  # [batch, 64]
        product = a * b  # [batch, 64]
        middle = (a + b) / 2  # [batch, 64]
        highest = maximum(a, b)  # [batch, 64]
        lowest = minimum(a, b)  # [batch, 64]
        # [batch, 321]
        x = torch.cat([agreement, difference, product, middle, highest, lowest], dim=-1)
        x = F.relu(self.duplicate_dense(x))  # [batch, 64]
        duplicate = self.duplicate(x)  # [batch, 1]
        return {"duplicate": duplicate if logits else torch.sigmoid(duplicate)}


Data = dict[str, Tensor]
ARRAYS = {
    "first": ((None,), torch.int32),
    "second": ((None,), torch.int32),
    "duplicate": ((1,), torch.float32),
}


def measure(model: Compare, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction = model(batch["first"], batch["second"], logits=True)["duplicate"]
    target = batch["duplicate"]
    values = {"loss": F.binary_cross_entropy_with_logits(prediction, target)}
    prediction = torch.sigmoid(prediction)
    values["accuracy"] = torch.mean(binary_accuracy(prediction, target))
    return values


def make_optimizer(model: Compare) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def run(
    model: Compare, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["first"]), Data()
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
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", dest="size", type=int, default=64)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Compare().to(device)
        optimizer = make_optimizer(model)
        names = ["first", "second"] if args.command == "predict" else list(ARRAYS)
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
                torch.split(x, args.size) for x in [data["first"], data["second"]]
            ]
            parts = list(map(model.eval(), *splits))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
