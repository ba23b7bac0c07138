import torch
from torch import Tensor


def causal_mask(query: Tensor, value: Tensor) -> Tensor:
    """True where a step of `query` may look: at steps of `value` up to its own."""
    shape = query.shape[-2], value.shape[-2]
    return torch.ones(shape, dtype=torch.bool, device=query.device).tril()
