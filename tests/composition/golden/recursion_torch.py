"""M, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
from torch import Tensor, nn


class Halve(nn.Module):
    """A block may call itself where a choice ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.y_dense = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.y_dense(x)  # [batch, 2]
        return y


class Tree(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.y_dense = nn.Linear(2, 2)
        self.y_dense_2 = nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.y_dense(x)
        x = self.y_dense_2(x)  # [batch, 3]
        return torch.cat([y, x], dim=-1)


class HalveUnits4(nn.Module):
    """A block may call itself where a choice ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.y_dense = nn.Linear(8, 4)
        self.y_halve = Halve()

    def forward(self, x: Tensor) -> Tensor:
        x = self.y_dense(x)  # [batch, 4]
        y: Tensor = self.y_halve(x)  # [batch, 2]
        return y


class TreeDepth2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.y_tree = Tree()
        self.y_tree_2 = Tree()

    def forward(self, x: Tensor) -> Tensor:
        y = self.y_tree(x)  # [batch, 5]
        x = self.y_tree_2(x)  # [batch, 5]
        return torch.cat([y, x], dim=-1)


class HalveUnits8(nn.Module):
    """A block may call itself where a choice ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.y_dense = nn.Linear(4, 8)
        self.y_halve = HalveUnits4()

    def forward(self, x: Tensor) -> Tensor:
        x = self.y_dense(x)  # [batch, 8]
        y: Tensor = self.y_halve(x)  # [batch, 2]
        return y


class M(nn.Module):
    """Maps x, float32 [batch, 4], to y, float32 [batch, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.y_halve = HalveUnits8()
        self.y = TreeDepth2()
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.y_halve(x)  # [batch, 2]
        y = self.y(x)  # [batch, 10]
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
