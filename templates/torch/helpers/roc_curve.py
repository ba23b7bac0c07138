from torch import Tensor

from templates.torch.helpers.ratio import ratio
from templates.torch.helpers.recall_of import recall_of


def roc_curve(counts: Tensor) -> tuple[Tensor, Tensor]:
    """The shares of 0 and of 1 that are predicted as 1, at each threshold."""
    return ratio(counts[1], counts[1] + counts[3]), recall_of(counts)
