"""M, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
from torch import Tensor, nn


class Twice(nn.Module):
    """A layer that is passed to a block is fresh at each use, and means what it meant
    where it was written.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.y_dense = nn.Linear(in_features, out_features)
        self.y_dense_2 = nn.Linear(out_features, out_features)

    def forward(self, x: Tensor) -> Tensor:
        x = self.y_dense(x)
        y: Tensor = self.y_dense_2(x)
        return y


class TwiceWithLayerNormalization(nn.Module):
    """A layer that is passed to a block is fresh at each use, and means what it meant
    where it was written.
    """

    def __init__(self, normalized_shape: int) -> None:
        super().__init__()
        self.y_layer_normalization = nn.LayerNorm(normalized_shape, eps=0.001)
        self.y_layer_normalization_2 = nn.LayerNorm(normalized_shape, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.y_layer_normalization_2(self.y_layer_normalization(x))
        return y


class Outer(nn.Module):
    def __init__(self, in_features: int, units: int) -> None:
        super().__init__()
        self.y_twice = Twice(in_features, units)
        self.y = TwiceWithLayerNormalization(units)

    def forward(self, x: Tensor) -> Tensor:
        x = self.y_twice(x)
        y: Tensor = self.y(x)
        return y


class TwiceUnits3(nn.Module):
    """A layer that is passed to a block is fresh at each use, and means what it meant
    where it was written.
    """

    def __init__(self) -> None:
        super().__init__()
        self.y_outer = Outer(5, 2)
        self.y_outer_2 = Outer(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.y_outer(x)  # [batch, 2]
        y: Tensor = self.y_outer_2(x)
        return y


class M(nn.Module):
    """Maps x, float32 [batch, 4], to y, float32 [batch, 2]."""

    def __init__(self) -> None:
        super().__init__()
        self.y_outer = Outer(4, 5)
        self.y = TwiceUnits3()
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.y_outer(x)  # [batch, 5]
        y = self.y(x)  # [batch, 2]
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
