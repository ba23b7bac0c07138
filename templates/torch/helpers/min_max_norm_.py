from torch import Tensor


def min_max_norm_(
    weight: Tensor, low: float, high: float, rate: float, dim: int | tuple[int, ...]
) -> None:
    """Moves the norm of `weight` over `dim` by `rate` of its distance to low … high."""
    norm = weight.square().sum(dim, keepdim=True).sqrt()
    wanted = rate * norm.clamp(low, high) + (1 - rate) * norm
    weight.mul_(wanted / (1e-7 + norm))
