import torch
from torch import Tensor, nn


def scaled_uniform_(
    tensor: Tensor, scale: float, fan: float, generator: torch.Generator | None = None
) -> None:
    """Fills `tensor` from a uniform distribution around 0 with variance scale / fan."""
    limit = float((3.0 * scale / fan) ** 0.5)
    nn.init.uniform_(tensor, -limit, limit, generator)
