from torch import Tensor


def categorical_focal_crossentropy(
    p: Tensor, target: Tensor, alpha: float | Tensor, gamma: float, dim: int = -1
) -> Tensor:
    """Cross-entropy in which what is predicted well counts little."""
    p = (p / p.sum(dim, keepdim=True)).clamp(1e-7, 1 - 1e-7)
    return -(alpha * (1 - p) ** gamma * target * p.log()).sum(dim)
