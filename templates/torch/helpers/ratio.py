import torch
from torch import Tensor


def ratio(a: Tensor, b: Tensor) -> Tensor:
    """a / b, and 0 where b is 0."""
    divisor = torch.where(b == 0, 1.0, b)
    return torch.where(b == 0, 0.0, a / divisor)
