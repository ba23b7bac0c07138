from torch import Tensor

from templates.torch.helpers.center_crop import center_crop


def crop_to_aspect(x: Tensor, size: tuple[int, int]) -> Tensor:
    """The largest middle part of images x [batch, channels, height, width] that has the
    proportions of `size` (height, width)."""
    height, width = x.shape[-2:]
    rows = min(height, width * size[0] // size[1])
    columns = min(width, height * size[1] // size[0])
    return center_crop(x, (max(rows, 1), max(columns, 1)))
