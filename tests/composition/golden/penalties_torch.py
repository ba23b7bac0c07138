"""M, compiled by nndsl."""

import argparse
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


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


class Code(nn.Module):
    """Penalties and expressions of blocks are theirs, under the path of the call."""

    def __init__(self, in_features: int, units: int) -> None:
        super().__init__()
        self.activity_penalty = torch.zeros(())
        self.mean = nn.Linear(in_features, units)
        self.spread_dense = nn.Linear(in_features, units)

    def forward(self, x: Tensor) -> Tensor:
        mean = self.mean(x)
        x = self.spread_dense(x)
        spread_ = torch.exp(0.5 * x)
        z: Tensor = mean + spread_ * 2
        kl = (mean**2 + spread_**2).mean(dim=-1)  # [batch]
        penalty = 0.1 * kl.mean()
        self.activity_penalty = penalty
        return z


class M(nn.Module):
    """Maps x, float32 [batch, 4], to y, float32 [batch, 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.activity_penalty = torch.zeros(())
        self.y_code = Code(4, 3)
        self.y_code_2 = Code(3, 2)
        self.y = nn.Linear(2, 4)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.y_code(x)  # [batch, 3]
        x = self.y_code_2(x)  # [batch, 2]
        y = self.y(x)  # [batch, 4]
        self.activity_penalty = (
            self.y_code.activity_penalty + self.y_code_2.activity_penalty
        )
        return {"y": y}


Data = dict[str, Tensor]
ARRAYS = {"x": ((4,), torch.float32), "y": ((4,), torch.float32)}


def penalty(model: M) -> Tensor:
    """The penalties of the weights, and of what the last forward computed."""
    return model.activity_penalty


def measure(model: M, batch: Data) -> Data:
    """The loss of a batch."""
    prediction, target = model(batch["x"])["y"], batch["y"]
    return {"loss": F.mse_loss(prediction, target) + penalty(model)}


def make_optimizer(model: M) -> optim.Optimizer:
    return RMSprop(model.parameters(), lr=0.001, rho=0.9, epsilon=1e-07)


def run(
    model: M, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["x"]), Data()
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
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = M().to(device)
        optimizer = make_optimizer(model)
        names = ["x"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["x"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
