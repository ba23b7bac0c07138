"""Iris, compiled by nndsl."""

import argparse
import math
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


def fan_of(weight: Tensor, mode: str) -> float:
    """The number of inputs of a unit, of outputs of an input, or the mean of both."""
    fan_in, fan_out = weight[0].numel(), weight[:, 0].numel()
    return {"fan_in": fan_in, "fan_out": fan_out}.get(mode, (fan_in + fan_out) / 2)


def scaled_normal_(
    tensor: Tensor,
    scale: float,
    mode: str = "fan_in",
    fan: float | None = None,
    generator: torch.Generator | None = None,
) -> None:
    """Fills `tensor` from a normal distribution cut at two standard deviations, with
    variance scale / fan after the cut (which leaves 0.8796 of the deviation)."""
    std = (scale / (fan or fan_of(tensor, mode))) ** 0.5 / 0.87962566103423978
    nn.init.trunc_normal_(tensor, 0.0, std, -2 * std, 2 * std, generator)


def max_norm_(weight: Tensor, limit: float, dim: int | tuple[int, ...]) -> None:
    """Scales `weight` down to a norm of at most `limit` over `dim`."""
    norm = weight.square().sum(dim, keepdim=True).sqrt()
    weight.mul_(norm.clamp(max=limit) / (1e-7 + norm))


def unit_norm_(weight: Tensor, dim: int | tuple[int, ...]) -> None:
    """Scales `weight` to a norm of 1 over `dim`."""
    norm = weight.square().sum(dim, keepdim=True).sqrt()
    weight.div_(1e-7 + norm)


class SGD(optim.Optimizer):
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
                    state["momentum"] = torch.zeros_like(p)
                p.add_(state["momentum"].mul_(momentum).sub_(p.grad, alpha=lr))
        return loss


def scheduled(rate: Callable[[int], float]) -> Callable[..., None]:
    """Sets the learning rate before each step; the first step is 0."""

    def before_step(optimizer: optim.Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate(group.setdefault("steps", 0))
            group["steps"] += 1

    return before_step


class Iris(nn.Module):
    """The three species of iris from four lengths, every layer held in check:
    regularizers, constraints, a decaying rate.
    Data: built in, Fisher's 150 flowers.

    Maps features, float32 [batch, 4], to species, float32 [batch, 3].
    """

    def __init__(self) -> None:
        super().__init__()
        self.activity_penalty = torch.zeros(())
        self.species_dense = nn.Linear(4, 16)
        self.species_dense_2 = nn.Linear(16, 16)
        self.species = nn.Linear(16, 3, bias=False)
        scaled_normal_(self.species_dense.weight, scale=2.0)
        nn.init.zeros_(self.species_dense.bias)
        nn.init.xavier_uniform_(self.species_dense_2.weight)
        nn.init.ones_(self.species_dense_2.bias)
        nn.init.xavier_uniform_(self.species.weight)

    def forward(self, features: Tensor, *, logits: bool = False) -> dict[str, Tensor]:
        x = F.relu(self.species_dense(features))  # [batch, 16]
        x = F.relu(self.species_dense_2(x))
        self.activity_penalty = 1e-05 * x.square().sum() / len(x)
        species = self.species(x)  # [batch, 3]
        return {"species": species if logits else F.softmax(species, dim=-1)}


Data = dict[str, Tensor]
ARRAYS = {"features": ((4,), torch.float32), "species": ((), torch.int64)}


def penalty(model: Iris) -> Tensor:
    """The penalties of the weights, and of what the last forward computed."""
    return (
        0.001 * model.species_dense.weight.square().sum()
        + (
            1e-05 * model.species_dense_2.weight.abs().sum()
            + 0.0001 * model.species_dense_2.weight.square().sum()
        )
        + 0.0001 * model.species_dense_2.bias.abs().sum()
        + model.activity_penalty
    )


def measure(model: Iris, batch: Data) -> Data:
    """The loss and the metrics of a batch."""
    prediction = model(batch["features"], logits=True)["species"]
    target = batch["species"]
    loss = F.cross_entropy(prediction, target) + penalty(model)
    return {"loss": loss, "accuracy": (prediction.argmax(-1) == target).float().mean()}


@torch.no_grad()
def constrain(model: Iris) -> None:
    """Puts the weights back to where their constraints want them."""
    max_norm_(model.species_dense.weight, 3.0, dim=1)
    model.species_dense_2.bias.clamp_(min=0.0)
    unit_norm_(model.species.weight, dim=1)


def learning_rate(step: int) -> float:
    """The learning rate of a step, by ExponentialDecay."""
    return 0.1 * math.pow(0.9, step / 100)


def make_optimizer(model: Iris) -> optim.Optimizer:
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer.register_step_pre_hook(scheduled(learning_rate))
    optimizer.register_step_post_hook(lambda *_: constrain(model))
    return optimizer


def run(
    model: Iris, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss and metrics over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["features"]), Data()
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
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch-size", dest="size", type=int, default=16)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Iris().to(device)
        optimizer = make_optimizer(model)
        names = ["features"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["features"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
