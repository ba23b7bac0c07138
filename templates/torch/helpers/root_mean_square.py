from torch import Tensor


def root_mean_square(tensor: Tensor) -> Tensor:
    """A scalar."""
    return tensor.square().mean().sqrt()
