from torch import Tensor

from templates.torch.helpers.log_probabilities import log_probabilities


def categorical_crossentropy(p: Tensor, target: Tensor, dim: int = -1) -> Tensor:
    """Cross-entropy of probabilities, scaled to sum 1 and clipped as Keras does."""
    p = p / p.sum(dim, keepdim=True)
    return -(target * log_probabilities(p)).sum(dim)
