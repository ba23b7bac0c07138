import torch
from torch import Tensor


def recall(prediction: Tensor, target: Tensor, threshold: float = 0.5) -> Tensor:
    """How many numbers that are 1 in the targets are above the threshold, and how many
    there are."""
    positive = target > 0
    return torch.stack([(positive & (prediction > threshold)).sum(), positive.sum()])
