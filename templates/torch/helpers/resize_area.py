import torch
from torch import Tensor


def resize_area(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Images x [batch, channels, height, width] at another size: each pixel is the mean
    of the area that it takes in x, parts of pixels included."""

    def weights(old: int, new: int) -> Tensor:
        step = old / new
        edge = torch.arange(new + 1, dtype=x.dtype, device=x.device) * step
        pixel = torch.arange(old, dtype=x.dtype, device=x.device)
        start, end = edge[:-1, None], edge[1:, None]
        part = torch.minimum(pixel + 1, end) - torch.maximum(pixel, start)
        within = (pixel < start) & (
            pixel + 1 > end
        )  # not end - start, which is rounded
        return torch.where(within, step, part).clamp_min(0) / step

    height, width = x.shape[-2:]
    return weights(height, size[0]) @ x @ weights(width, size[1]).mT
