import torch.nn.functional as F
from torch import Tensor


def cosine_similarity(prediction: Tensor, target: Tensor) -> Tensor:
    """The cosine of the angle between the vectors along the last axis."""
    a = F.normalize(prediction, dim=-1, eps=1e-12)
    b = F.normalize(target, dim=-1, eps=1e-12)
    return (a * b).sum(-1)
