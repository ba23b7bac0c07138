import torch
from torch import Tensor


def signs(target: Tensor) -> Tensor:
    """Targets as -1 and 1: a batch of 0 and 1 alone is mapped, others are kept."""
    binary = ((target == 0) | (target == 1)).all()
    return torch.where(binary, 2 * target - 1, target)
