from torch import Tensor

from templates.torch.helpers.ratio import ratio


def recall_of(counts: Tensor) -> Tensor:
    """The share of 1 that is predicted as 1, at each threshold."""
    return ratio(counts[0], counts[0] + counts[2])
