import torch
from torch import Tensor


def window_mask(query: Tensor, value: Tensor, size: int) -> Tensor:
    """True where a step of `query` may look: at steps of `value` less than `size`
    away."""
    shape = query.shape[-2], value.shape[-2]
    mask = torch.ones(shape, dtype=torch.bool, device=query.device)
    return mask.tril(size - 1).triu(1 - size)
