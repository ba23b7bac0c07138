import torch
from torch import Tensor, nn

from templates.torch.helpers.fan_of import fan_of


def scaled_uniform_(
    tensor: Tensor,
    scale: float,
    mode: str = "fan_in",
    fan: float | None = None,
    generator: torch.Generator | None = None,
) -> None:
    """Fills `tensor` from a uniform distribution around 0 with variance scale / fan."""
    limit = (3 * scale / (fan or fan_of(tensor, mode))) ** 0.5
    nn.init.uniform_(tensor, -limit, limit, generator)
