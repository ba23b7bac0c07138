from torch import Tensor


def log_probabilities(p: Tensor) -> Tensor:
    """The logarithm of probabilities, clipped to 1e-7 on both sides as Keras does."""
    return p.clamp(1e-7, 1 - 1e-7).log()
