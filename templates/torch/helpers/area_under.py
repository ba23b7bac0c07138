import torch
from torch import Tensor


def area_under(x: Tensor, y: Tensor, summation: str = "interpolation") -> Tensor:
    """The area under a curve whose points come from right to left."""
    height = (y[:-1] + y[1:]) / 2
    if summation != "interpolation":
        pick = torch.minimum if summation == "minoring" else torch.maximum
        height = pick(y[:-1], y[1:])
    return ((x[:-1] - x[1:]) * height).sum(0)
