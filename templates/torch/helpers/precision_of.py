from torch import Tensor

from templates.torch.helpers.ratio import ratio


def precision_of(counts: Tensor) -> Tensor:
    """The share of what is predicted as 1 that is 1, at each threshold."""
    return ratio(counts[0], counts[0] + counts[1])
