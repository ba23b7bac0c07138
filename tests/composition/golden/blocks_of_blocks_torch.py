"""M, compiled by nndsl."""

import argparse
from itertools import zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Batch normalization whose running variance is biased, as the batch's own is."""

    def __init__(self, size: int, decay: float = 0.99, eps: float = 0.001) -> None:
        super().__init__()
        self.decay, self.eps = decay, eps
        self.weight = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size))
        self.running_mean = nn.Buffer(torch.zeros(size))
        self.running_var = nn.Buffer(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        w, b, mean, var = self.weight, self.bias, self.running_mean, self.running_var
        if not self.training:
            return F.batch_norm(x, mean, var, w, b, eps=self.eps)
        seen = torch.var_mean(x.detach().to(var), [0, *range(2, x.dim())], correction=0)
        var.mul_(self.decay).add_(seen[0], alpha=1 - self.decay)
        mean.mul_(self.decay).add_(seen[1], alpha=1 - self.decay)
        return torch.batch_norm(x, w, b, None, None, True, 0.0, self.eps, True)


class Conv(nn.Module):
    """Blocks call blocks; each call has layers of its own."""

    def __init__(self, in_channels: int, filters: int) -> None:
        super().__init__()
        self.y_conv2d = nn.Conv2d(in_channels, filters, 3, padding=1, bias=False)
        self.y = BatchNorm(filters)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.y(self.y_conv2d(x))
        return y


class ConvStride2(nn.Module):
    """Blocks call blocks; each call has layers of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.y_conv2d = nn.Conv2d(4, 8, 3, stride=2, bias=False)
        self.y = BatchNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.y_conv2d(F.pad(x, (0, 1, 0, 1)))  # [batch, 8, 4, 4]
        y: Tensor = self.y(x)
        return y


class ResidualWithSkip(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.path_conv = Conv(3, 4)
        self.path = Conv(4, 4)
        self.skip_conv2d = nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        path = F.relu(self.path_conv(x))  # [batch, 4, 8, 8]
        path = self.path(path)
        return F.relu(path + self.skip_conv2d(x))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.path_conv = Conv(4, 4)
        self.path = Conv(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        path = F.relu(self.path_conv(x))
        return F.relu(self.path(path) + x)


class ResidualWithSkip2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.path_conv = ConvStride2()
        self.path = Conv(8, 8)
        self.skip_conv2d = nn.Conv2d(4, 8, 1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        path = F.relu(self.path_conv(x))  # [batch, 8, 4, 4]
        path = self.path(path)
        return F.relu(path + self.skip_conv2d(x))


class M(nn.Module):
    """Maps image, float32 [batch, 8, 8, 3], to y, float32 [batch, 4, 4, 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.y_residual = ResidualWithSkip()
        self.y_residual_2 = nn.Sequential(*(Residual() for _ in range(2)))
        self.y = ResidualWithSkip2()
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)  # as in Keras
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        image = image.movedim(-1, 1)  # [batch, 3, 8, 8]
        x = self.y_residual(image)  # [batch, 4, 8, 8]
        x = self.y_residual_2(x)
        y = self.y(x)  # [batch, 8, 4, 4]
        return {"y": y.movedim(1, -1)}


Data = dict[str, Tensor]
ARRAYS = {"image": ((8, 8, 3), torch.float32)}


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
        parts = list(map(model.eval(), torch.split(data["image"], args.size)))
    outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}
    np.savez(args.output, allow_pickle=False, **outputs)
