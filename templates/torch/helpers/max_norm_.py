from torch import Tensor


def max_norm_(weight: Tensor, limit: float, dim: int | tuple[int, ...]) -> None:
    """Scales `weight` down to a norm of at most `limit` over `dim`."""
    norm = weight.square().sum(dim, keepdim=True).sqrt()
    weight.mul_(norm.clamp(max=limit) / (1e-7 + norm))
