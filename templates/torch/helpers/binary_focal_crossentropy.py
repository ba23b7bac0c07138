import torch.nn.functional as F
from torch import Tensor


def binary_focal_crossentropy(
    p: Tensor,
    target: Tensor,
    gamma: float,
    alpha: float | None = None,
    dim: int = -1,
    logits: Tensor | None = None,
) -> Tensor:
    """Binary cross-entropy in which what is predicted well counts little; from `logits`
    where they are known, else from clipped probabilities."""
    if logits is None:
        clipped = p.clamp(1e-7, 1 - 1e-7)
        each = -(target * clipped.log() + (1 - target) * (1 - clipped).log())
    else:
        each = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    each = (1 - target * p - (1 - target) * (1 - p)) ** gamma * each
    if alpha is not None:
        each = (target * alpha + (1 - target) * (1 - alpha)) * each
    return each.mean(dim)
