from torch import Tensor


def binary_crossentropy(p: Tensor, target: Tensor, dim: int = -1) -> Tensor:
    """Binary cross-entropy of probabilities, clipped to 1e-7 on both sides as Keras
    does (F.binary_cross_entropy clips the logarithm at -100)."""
    p = p.clamp(1e-7, 1 - 1e-7)
    return -(target * p.log() + (1 - target) * (1 - p).log()).mean(dim)
