from torch import Tensor


def unit_norm_(weight: Tensor, dim: int | tuple[int, ...]) -> None:
    """Scales `weight` to a norm of 1 over `dim`."""
    norm = weight.square().sum(dim, keepdim=True).sqrt()
    weight.div_(1e-7 + norm)
