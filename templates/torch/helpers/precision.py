import torch
from torch import Tensor


def precision(prediction: Tensor, target: Tensor, threshold: float = 0.5) -> Tensor:
    """How many numbers above the threshold are 1 in the targets, and how many
    there are."""
    chosen = prediction > threshold
    return torch.stack([(chosen & (target > 0)).sum(), chosen.sum()])
