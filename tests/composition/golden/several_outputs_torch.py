"""M, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class GaussianWithDense(nn.Module):
    """Several inputs and outputs go by their order; `_` leaves one out."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(4, 6)
        self.mean = nn.Linear(6, 2)
        self.spread = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.hidden(x)  # [batch, 6]
        mean = self.mean(hidden)  # [batch, 2]
        spread_ = F.softplus(self.spread(hidden))  # [batch, 2]
        return (mean, spread_)


class Gaussian(nn.Module):
    """Several inputs and outputs go by their order; `_` leaves one out."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(4, 6)

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.hidden(x)  # [batch, 6]
        return hidden


class GaussianWithDense2(nn.Module):
    """Several inputs and outputs go by their order; `_` leaves one out."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(4, 6)
        self.mean = nn.Linear(6, 2)
        self.spread = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.hidden(x)  # [batch, 6]
        mean = self.mean(hidden)  # [batch, 2]
        spread_ = F.softplus(self.spread(hidden))  # [batch, 2]
        return (mean, spread_, hidden)


class Mix(nn.Module):
    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        y = first - second  # [batch, 2]
        return (y, second)


class M(nn.Module):
    """The model M.

    Inputs:
        x: float32 [batch, 4]
    Outputs:
        both: float32 [batch, 12]
        sum: float32 [batch, 2]
    """

    def __init__(self) -> None:
        super().__init__()
        self.mean = GaussianWithDense()
        self.raw = Gaussian()
        self.y = Mix()
        self.both_gaussian = GaussianWithDense2()
        self.both_dense = nn.Linear(4, 2)
        self.sum_dense = nn.Linear(6, 2)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        mean, spread_ = self.mean(x)
        raw = self.raw(x)  # [batch, 6]
        y, z = self.y(mean, spread_)
        both, both_gaussian, both_gaussian_2 = self.both_gaussian(x)
        x = self.both_dense(x)  # [batch, 2]
        # [batch, 12]
        both = torch.cat([both, both_gaussian, both_gaussian_2, x], dim=-1)
        x = self.sum_dense(raw)  # [batch, 2]
        sum_ = x + y + z  # [batch, 2]
        return {"both": both, "sum": sum_}


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
