from torch import Tensor


def tversky(
    p: Tensor,
    target: Tensor,
    alpha: float = 0.5,
    beta: float = 0.5,
    dim: int | tuple[int, ...] | None = None,
) -> Tensor:
    """1 - the share of the overlap, with weights for what is missed and too much."""
    overlap = (target * p).sum(dim)
    missed, extra = ((1 - p) * target).sum(dim), (p * (1 - target)).sum(dim)
    return 1 - overlap / (overlap + alpha * missed + beta * extra + 1e-7)
