import torch
from torch import Tensor


def auto_contrast(x: Tensor, low: float = 0.0, high: float = 255.0) -> Tensor:
    """Images x [batch, height, width, channels] with each channel stretched over all
    values from `low` to `high`; one of a single value stays as it is."""
    y = (x - low) / (high - low) * 255
    least, most = y.amin((1, 2), keepdim=True), y.amax((1, 2), keepdim=True)
    scale = 255 / (most - least)
    y = (y * scale - least * scale).clamp(0, 255)
    y = y / 255 * (high - low) + low
    return torch.where(y.isnan(), x, y)
