import torch
from torch import Tensor


@torch.no_grad()
def assign_(tensor: Tensor, value: Tensor) -> None:
    """Fills `tensor` with the values of another one."""
    tensor.copy_(value)
