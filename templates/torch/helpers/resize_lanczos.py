import torch
from torch import Tensor


def resize_lanczos(
    x: Tensor, size: tuple[int, int], radius: int, antialias: bool = False
) -> Tensor:
    """Images x [batch, channels, height, width] at another size by Lanczos's kernel,
    which with `antialias` grows wider as images get smaller."""

    def weights(old: int, new: int) -> Tensor:
        step = 1 / torch.tensor(new / old, dtype=x.dtype, device=x.device)
        place = torch.arange(new, dtype=x.dtype, device=x.device)
        place = (place + 0.5) * step
        d = torch.arange(old, device=x.device) + 0.5 - place[:, None]
        d = d.abs() / step.clamp_min(1) if antialias else d.abs()
        kernel = torch.sinc(d) * torch.sinc(d / radius) * (d <= radius)
        return kernel / kernel.sum(1, keepdim=True)

    height, width = x.shape[-2:]
    return weights(height, size[0]) @ x @ weights(width, size[1]).mT
