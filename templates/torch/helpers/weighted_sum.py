import torch
from torch import Tensor


def weighted_sum(values: Tensor, weight: Tensor | None = None) -> Tensor:
    """The sum of the values times their weights, and the sum of the weights: [2]."""
    if weight is None:
        weight = torch.ones_like(values)
    return torch.stack([(values * weight).sum(), weight.expand_as(values).sum()])
