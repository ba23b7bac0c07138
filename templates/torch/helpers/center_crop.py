from torch import Tensor


def center_crop(x: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of images x [batch, channels, height, width], of `size`."""
    top, left = (x.shape[-2] - size[0]) // 2, (x.shape[-1] - size[1]) // 2
    return x[..., top : top + size[0], left : left + size[1]]
