import torch
from torch import Tensor

from templates.torch.helpers.ratio import ratio


def precision_recall_area(counts: Tensor) -> Tensor:
    """The area under the precision-recall curve, between whose points true positives
    are interpolated (Davis and Goadrich, 2006)."""
    hits, chosen = counts[0], counts[0] + counts[1]
    slope = ratio(hits[:-1] - hits[1:], (chosen[:-1] - chosen[1:]).clamp(min=0))
    start = hits[1:] - slope * chosen[1:]
    some = (chosen[:-1] > 0) & (chosen[1:] > 0)
    growth = torch.where(some, ratio(chosen[:-1], chosen[1:]), 1.0).log()
    parts = slope * (hits[:-1] - hits[1:] + start * growth)
    return ratio(parts, hits[1:] + counts[2][1:]).sum(0)
