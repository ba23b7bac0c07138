import torch
import torch.nn.functional as F
from torch import Tensor

from templates.torch.helpers.pad_same import pad_same


def average_pool_same(
    x: Tensor, window: tuple[int, ...], stride: tuple[int, ...]
) -> Tensor:
    """Average pooling with padding that does not count, also where it is uneven."""
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[len(window) - 1]
    inside = torch.ones_like(x[:1, :1])
    total = pool(pad_same(x, window, stride), window, stride)
    return total / pool(pad_same(inside, window, stride), window, stride)
