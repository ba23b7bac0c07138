"""Activations, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


def selu(x: Tensor) -> Tensor:
    """Scaled exponential linear unit; F.selu has another gradient at exactly 0."""
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    negative = scale * alpha * torch.expm1(x.clamp(max=0.0))
    return torch.where(x < 0, negative, scale * x)


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Continuously differentiable ELU; F.celu has another gradient at exactly 0."""
    positive, negative = x.clamp(min=0.0), x.clamp(max=0.0)
    return positive + alpha * torch.expm1(negative / alpha)


def sparse_plus(x: Tensor) -> Tensor:
    """0 up to -1, x from 1 on, and (x + 1)² / 4 in between."""
    curve = torch.where(x < 1, torch.square(x + 1) / 4, x)
    return torch.where(x <= -1, torch.zeros_like(x), curve)


def early_epsilon(optimizer: optim.Optimizer, *_: object) -> None:
    """Has Adam add epsilon before the second moment is corrected, as Keras does."""
    for group in optimizer.param_groups:
        epsilon = group.setdefault("epsilon", group["eps"])
        group["count"] = group.get("count", 0) + 1
        group["eps"] = epsilon / (1 - group["betas"][1] ** group["count"]) ** 0.5


class Activations(nn.Module):
    """The activations of Keras side by side: one hidden layer seen through each of
    them.
    Data: `--data file.npz` with features and value, or `--data random`.

    Maps features, float32 [batch, 16], to value, float32 [batch, 1].
    """

    def __init__(self) -> None:
        super().__init__()
        self.curves_dense = nn.Linear(16, 8)
        self.value = nn.Linear(216, 1)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)

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
        curves_activation_27 = F.log_softmax(x, dim=-1)
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
                curves_activation_27,
            ],
            dim=-1,
        )
        value = self.value(curves)  # [batch, 1]
        return {"value": value}


Data = dict[str, Tensor]
ARRAYS = {"features": ((16,), torch.float32), "value": ((1,), torch.float32)}


def measure(model: Activations, batch: Data) -> Data:
    """The loss of a batch."""
    prediction, target = model(batch["features"])["value"], batch["value"]
    return {"loss": F.mse_loss(prediction, target)}


def make_optimizer(model: Activations) -> optim.Optimizer:
    optimizer = optim.Adam(model.parameters(), lr=0.001, eps=1e-07)
    optimizer.register_step_pre_hook(early_epsilon)
    return optimizer


def run(
    model: Activations, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss over the data; with an optimizer it trains."""
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
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = Activations().to(device)
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
