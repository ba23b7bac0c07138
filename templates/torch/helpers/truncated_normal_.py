import torch
from torch import Tensor, nn


def truncated_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 0.05,
    generator: torch.Generator | None = None,
) -> None:
    """Fills `tensor` from a normal distribution, cut at two standard deviations."""
    nn.init.trunc_normal_(tensor, mean, std, mean - 2 * std, mean + 2 * std, generator)
