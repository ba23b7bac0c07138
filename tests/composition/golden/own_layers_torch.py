"""M, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Module):
    """A layer of one's own is called like any other, from models and blocks; each call
    has weights of its own.
    """

    def __init__(self, in_features: int, units: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(in_features, units))
        self.bias = nn.Parameter(torch.zeros(units))
        nn.init.xavier_uniform_(self.kernel)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.kernel + self.bias


class Linear2(nn.Module):
    """A layer of one's own is called like any other, from models and blocks; each call
    has weights of its own.
    """

    def __init__(self, in_features: int, units: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(in_features, units))
        self.bias = nn.Parameter(torch.ones(units))
        nn.init.xavier_uniform_(self.kernel)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.kernel + self.bias


class Count(nn.Module):
    steps: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("steps", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        steps = self.steps + 1
        self.steps = steps.detach()
        return x


class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.y_linear = Linear(4, 5)
        self.y_linear_2 = Linear2(5, 5)
        self.y = Count()

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.y_linear(x))  # [batch, 5]
        x = self.y_linear_2(x)
        y: Tensor = self.y(x)
        return y


class M(nn.Module):
    """Maps x, float32 [batch, 4], to y, float32 [batch, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.y_mlp = Mlp()
        self.linear = Linear(5, 5)
        self.y_linear = nn.Sequential(Linear(5, 3), Linear(3, 3))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.y_mlp(x)  # [batch, 5]
        x = self.linear(x)
        x = self.linear(x)
        y = self.y_linear(x)
        return {"y": y}


Data = dict[str, Tensor]
ARRAYS = {"x": ((4,), torch.float32)}


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
    parser.add_argument("command", choices=["predict"])
    parser.add_argument("data", help="an .npz file with an array for each name")
    parser.add_argument("--weights", default="model.pt", help="file of the weights")
    parser.add_argument("-o", "--output", default="predictions.npz")
    parser.add_argument("--batch-size", dest="size", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")
    args = parser.parse_args()
    try:
        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"
        model = M().to(device)
        names = list(ARRAYS)
        data = load_data(args.data, names, device)
        model.load_state_dict(torch.load(args.weights, device, weights_only=True))
    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)
        raise SystemExit(f"error: {error}") from None
    with torch.no_grad():
        parts = list(map(model.eval(), torch.split(data["x"], args.size)))
    outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
    np.savez(args.output, allow_pickle=False, **outputs)
