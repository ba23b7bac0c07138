"""CustomLayers, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim


class SimpleDense(nn.Module):
    """A dense layer: y = x W + b."""

    def __init__(self, in_features: int, units: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(in_features, units))
        self.bias = nn.Parameter(torch.zeros(units))
        nn.init.normal_(self.kernel, mean=0.0, std=0.05)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.kernel + self.bias


class ComputeSum(nn.Module):
    """Adds up all samples that it has ever seen."""

    total: Tensor

    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(in_features))

    def forward(self, x: Tensor) -> Tensor:
        total = self.total + x.sum(dim=0)
        self.total = total.detach()
        return torch.zeros_like(x) + self.total


class CustomLayers(nn.Module):
    """The model CustomLayers.

    Inputs:
        measures: float32 [batch, 4]
    Outputs:
        price: float32 [batch, 1]
        seen: float32 [batch, 4]
    """

    def __init__(self) -> None:
        super().__init__()
        self.price_simple_dense = SimpleDense(4, 8)
        self.price = SimpleDense(8, 1)
        self.seen = ComputeSum(4)

    def forward(self, measures: Tensor) -> dict[str, Tensor]:
        x = F.relu(self.price_simple_dense(measures))  # [batch, 8]
        price = self.price(x)  # [batch, 1]
        seen = self.seen(measures)
        return {"price": price, "seen": seen}


Data = dict[str, Tensor]
ARRAYS = {"measures": ((4,), torch.float32), "price": ((1,), torch.float32)}


def measure(model: CustomLayers, batch: Data) -> Data:
    """The loss of a batch."""
    prediction, target = model(batch["measures"])["price"], batch["price"]
    return {"loss": F.mse_loss(prediction, target)}


def make_optimizer(model: CustomLayers) -> optim.Optimizer:
    return optim.SGD(model.parameters(), lr=0.01)


def run(
    model: CustomLayers, data: Data, size: int, optimizer: optim.Optimizer | None = None
) -> dict[str, float]:
    """The mean loss over the data; with an optimizer it trains."""
    model.train(optimizer is not None)
    count, sums = len(data["measures"]), Data()
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
    parser.add_argument("--batch-size", dest="size", type=int, default=16)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    parser.add_argument("--seed", type=int, default=torch.seed())
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = CustomLayers().to(device)
        optimizer = make_optimizer(model)
        names = ["measures"] if args.command == "predict" else list(ARRAYS)
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
            parts = list(map(model.eval(), torch.split(data["measures"], args.size)))
        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
        np.savez(args.output, allow_pickle=False, **outputs)
