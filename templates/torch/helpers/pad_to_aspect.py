import torch.nn.functional as F
from torch import Tensor


def pad_to_aspect(x: Tensor, size: tuple[int, int], value: float = 0.0) -> Tensor:
    """Images x [batch, channels, height, width] in the middle of a frame that has the
    proportions of `size` (height, width)."""
    height, width = x.shape[-2:]
    rows = max(width * size[0] // size[1] - height, 0) // 2
    columns = max(height * size[1] // size[0] - width, 0) // 2
    return F.pad(x, (columns, columns, rows, rows), value=value)
