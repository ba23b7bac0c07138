import torch
from torch import Tensor


def f_counts(
    prediction: Tensor,
    target: Tensor,
    threshold: float | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """True positives, false positives and false negatives of each class: [3, classes].
    Without a threshold the largest number of a sample is its class."""
    if threshold is None:
        largest = prediction.amax(-1, keepdim=True)
        chosen = ((prediction >= largest) & (prediction.abs() > 1e-9)).to(prediction)
    else:
        chosen = (prediction > threshold).to(prediction)
    kinds = [chosen * target, chosen * (1 - target), (1 - chosen) * target]
    counts = torch.stack(kinds)
    return counts.sum(1) if weight is None else (counts * weight[..., None]).sum(1)
