import torch
from torch import Tensor, nn


class Normalization(nn.Module):
    """Brings data to mean 0 and variance 1, or back with `invert`, by statistics that
    are saved with the weights: 0 and 1 until some are loaded."""

    mean: Tensor
    variance: Tensor
    count: Tensor

    def __init__(self, *shape: int, invert: bool = False) -> None:
        super().__init__()
        self.invert = invert
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("variance", torch.ones(shape))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        deviation = self.variance.sqrt().clamp_min(1e-7)
        if self.invert:
            return x * deviation + self.mean
        return (x - self.mean) / deviation
