import torch
from torch import Tensor


def ratio(counts: Tensor) -> Tensor:
    """The first of two numbers, as a share of the second; 0 of 0 is 0."""
    return torch.nan_to_num(counts[0] / counts[1])
