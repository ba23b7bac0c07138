import torch
from torch import Tensor


def r2_sums(prediction: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Sums of targets, their squares, squared errors and weights: [4, numbers]."""
    error = (target - prediction).square()
    sums = torch.stack([target, target.square(), error, torch.ones_like(target)])
    return sums.sum(1) if weight is None else (sums * weight[..., None]).sum(1)
