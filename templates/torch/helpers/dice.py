from torch import Tensor


def dice(p: Tensor, target: Tensor, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """1 - twice the overlap over the size of both."""
    overlap = (target * p).sum(dim)
    return 1 - 2 * overlap / (target.sum(dim) + p.sum(dim) + 1e-7)
