from torch import Tensor


def generalized_crossentropy(p: Tensor, target: Tensor, q: float) -> Tensor:
    """(1 - p ** q) / q of the probability of each target."""
    return (1 - p.gather(-1, target[..., None])[..., 0] ** q) / q
