import torch
from torch import Tensor

from templates.torch.helpers.ratio import ratio


def gain_curve(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Recall gain and precision gain at each threshold (Flach and Kull, 2015)."""
    hits, false, missed, right = counts.unbind()
    odds = ratio(hits + missed, false + right)
    recall = torch.where(hits == 0, 0.0, 1 - odds * ratio(missed, hits))
    gain = torch.where(hits == 0, 1.0, 1 - odds * ratio(false, hits))
    return recall.clamp(min=0), gain
