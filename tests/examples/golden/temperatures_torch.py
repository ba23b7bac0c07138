"""Temperatures, compiled by nndsl."""

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


def absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean absolute difference of each sample."""
    return (prediction - target).abs().mean(-1)


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class Temperatures(nn.Module):
    """The temperature of the next day from the last two weeks: windows of a table
    whose rows follow one another in time.
    Data: temperatures.csv beside this file, 1,200 days of made weather (a yearly
    wave, and noise that lasts for days).

    Maps days, float32 [batch, 14, 3], to tomorrow, float32 [batch, 1].
    """

    def __init__(self) -> None:
        super().__init__()
        self.tomorrow_gru = nn.GRU(3, 16, batch_first=True)
        self.tomorrow = nn.Linear(16, 1)
        nn.init.xavier_uniform_(self.tomorrow.weight)
        nn.init.zeros_(self.tomorrow.bias)
        init_recurrent(self.tomorrow_gru)

    def forward(self, days: Tensor) -> dict[str, Tensor]:
        _, h = self.tomorrow_gru(days)
        x = h[-1]  # [batch, 16]
        tomorrow = self.tomorrow(x)  # [batch, 1]
        return {"tomorrow": tomorrow}


Data = dict[str, Tensor]
ARRAYS = {"days": ((14, 3), torch.float32), "tomorrow": ((1,), torch.float32)}


def measure(model: Temperatures, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction, target = model(batch["days"])["tomorrow"], batch["tomorrow"]
    loss = F.mse_loss(prediction, target)
    return {"loss": loss, "mae": torch.mean(absolute_error(prediction, target))}


def make_optimizer(model: Temperatures) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.01, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def run(
    model: Temperatures, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["days"]), Data()
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
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Temperatures().to(device)
        optimizer = make_optimizer(model)
        names = ["days"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["days"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
