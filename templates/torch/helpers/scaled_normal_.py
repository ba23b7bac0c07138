import torch
from torch import Tensor, nn

from templates.torch.helpers.fan_of import fan_of


def scaled_normal_(
    tensor: Tensor,
    scale: float,
    mode: str = "fan_in",
    fan: float | None = None,
    generator: torch.Generator | None = None,
) -> None:
    """Fills `tensor` from a normal distribution cut at two standard deviations, with
    variance scale / fan after the cut (which leaves 0.8796 of the deviation)."""
    std = (scale / (fan or fan_of(tensor, mode))) ** 0.5 / 0.87962566103423978
    nn.init.trunc_normal_(tensor, 0.0, std, -2 * std, 2 * std, generator)
