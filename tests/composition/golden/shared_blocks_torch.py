"""M, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Tower(nn.Module):
    """A shared block has one set of layers, however often it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.y_dense = nn.Linear(4, 3)
        self.y = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.y_dense(x))  # [batch, 3]
        y: Tensor = self.y(x)
        return y


class M(nn.Module):
    """The model M.

    Inputs:
        left: float32 [batch, 4]
        right: float32 [batch, 4]
    Outputs:
        y: float32 [batch, 3]
    """

    def __init__(self) -> None:
        super().__init__()
        self.tower = Tower()
        self.norm = nn.LayerNorm(3, eps=0.001)
        self.y_dense = nn.Linear(6, 4)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Tensor]:
        x = self.norm(self.tower(left))  # [batch, 3]
        y = self.norm(self.tower(right))  # [batch, 3]
        x = torch.cat([x, y], dim=-1)  # [batch, 6]
        x = self.y_dense(x)  # [batch, 4]
        y = self.tower(x)  # [batch, 3]
        return {"y": y}


Data = dict[str, Tensor]
ARRAYS = {"left": ((4,), torch.float32), "right": ((4,), torch.float32)}


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
        splits = [torch.split(x, args.size) for x in [data["left"], data["right"]]]
        parts = list(map(model.eval(), *splits))
    outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
    np.savez(args.output, allow_pickle=False, **outputs)
