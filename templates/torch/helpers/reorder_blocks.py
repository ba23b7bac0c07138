import torch
from torch import Tensor


def reorder_blocks(x: Tensor, order: tuple[int, ...]) -> Tensor:
    """Cuts axis 0 into equal blocks, one for each gate, and puts them into `order`."""
    blocks = x.chunk(len(order))
    return torch.cat([blocks[position] for position in order])
