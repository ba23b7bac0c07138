import torch.nn.functional as F
from torch import Tensor


def cosine_similarity(prediction: Tensor, target: Tensor, dim: int = -1) -> Tensor:
    """The cosine of the angle between the vectors along an axis."""
    a = F.normalize(prediction, dim=dim, eps=1e-12)
    b = F.normalize(target, dim=dim, eps=1e-12)
    return (a * b).sum(dim)
