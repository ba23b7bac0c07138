import torch
from torch import Tensor


def confusion_evenly(
    prediction: Tensor,
    target: Tensor,
    count: int,
    weight: Tensor | None = None,
    outside: bool = False,
) -> Tensor:
    """How many numbers are true and false positives, false and true negatives at each
    of `count` thresholds from 0 to 1 (the ends a little `outside`): [4, count]."""
    places = (prediction.flatten().clamp(0, 1) * (count - 1)).ceil().long()
    places = places.clamp(min=1 if outside else 0)  # how many thresholds are below
    positive = (target != 0).flatten()
    each = None if weight is None else weight.expand_as(prediction).flatten()
    groups = [
        torch.bincount(places[group], each if each is None else each[group], count)
        for group in (positive, ~positive)
    ]
    below = torch.stack(groups).cumsum(1)
    return torch.cat([below[:, -1:] - below, below])
