"""M, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class M(nn.Module):
    """Maps x, float32 [batch, 2], to y, float32 [batch, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.a_dense = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3))
        self.b_dense = nn.Linear(3, 1)
        self.b_dense_2 = nn.Linear(1, 2)
        self.b_dense_3 = nn.Linear(2, 4)
        self.c_dense = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 7))
        self.d_dense = nn.Sequential(
            nn.Sequential(nn.Linear(7, 4), nn.Linear(4, 4)), nn.Linear(4, 6)
        )
        self.y_dense = nn.Sequential(
            nn.Sequential(nn.Linear(6, 1), nn.Linear(1, 2)), nn.Linear(2, 3)
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        a = self.a_dense(x)
        x = F.relu(self.b_dense(a))  # [batch, 1]
        x = F.relu(self.b_dense_2(x))  # [batch, 2]
        x = self.b_dense_3(x)  # [batch, 4]
        b = F.relu(x)
        c = self.c_dense(b)  # [batch, 7]
        d = self.d_dense(c)  # [batch, 6]
        y = self.y_dense(d)  # [batch, 3]
        return {"y": y}


Data = dict[str, Tensor]
ARRAYS = {"x": ((2,), torch.float32)}


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
