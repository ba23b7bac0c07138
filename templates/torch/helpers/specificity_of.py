from torch import Tensor

from templates.torch.helpers.ratio import ratio


def specificity_of(counts: Tensor) -> Tensor:
    """The share of 0 that is predicted as 0, at each threshold."""
    return ratio(counts[3], counts[3] + counts[1])
