import torch
from torch import Tensor


def one_hot(ids: Tensor, size: int) -> Tensor:
    """A row [size] for each id, true at its place; all false for one out of range."""
    return ids.unsqueeze(-1) == torch.arange(size, device=ids.device)
