import torch
from torch import Tensor


def confusion(
    prediction: Tensor,
    target: Tensor,
    thresholds: list[float],
    weight: Tensor | None = None,
) -> Tensor:
    """How many numbers are true and false positives, false and true negatives at each
    threshold: [4, thresholds]."""
    above = prediction.flatten() > prediction.new_tensor(thresholds)[:, None]
    positive = (target != 0).flatten()
    kinds = [above & positive, above & ~positive, ~above & positive, ~above & ~positive]
    counts = torch.stack(kinds)
    if weight is not None:
        counts = counts * weight.expand_as(prediction).flatten()
    return counts.sum(-1)
