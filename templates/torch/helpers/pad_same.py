import torch.nn.functional as F
from torch import Tensor


def pad_same(
    x: Tensor, window: tuple[int, ...], stride: tuple[int, ...], value: float = 0.0
) -> Tensor:
    """Pads the last axes so that a window's strides cover them, the odd one behind."""
    pads: list[int] = []
    for size, reach, step in zip(x.shape[2:], window, stride, strict=True):
        total = max((-(-size // step) - 1) * step + reach - size, 0)
        pads = [total // 2, total - total // 2, *pads]
    return F.pad(x, pads, value=value)
