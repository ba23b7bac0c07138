from torch import Tensor


def binary_focal_crossentropy(
    p: Tensor, target: Tensor, gamma: float, alpha: float | None = None
) -> Tensor:
    """Binary cross-entropy in which what is predicted well counts little."""
    clipped = p.clamp(1e-7, 1 - 1e-7)
    each = -(target * clipped.log() + (1 - target) * (1 - clipped).log())
    each = (1 - target * p - (1 - target) * (1 - p)) ** gamma * each
    if alpha is not None:
        each = (target * alpha + (1 - target) * (1 - alpha)) * each
    return each.mean(-1)
