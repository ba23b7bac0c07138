import torch.nn.functional as F
from torch import Tensor


def shared_dropout(
    x: Tensor, rate: float, axes: tuple[int, ...], training: bool
) -> Tensor:
    """Dropout whose random mask is the same all along `axes`."""
    shape = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
    return x * F.dropout(x.new_ones(shape), rate, training)
