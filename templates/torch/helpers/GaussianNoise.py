import torch
from torch import Tensor, nn


class GaussianNoise(nn.Module):
    """Adds normal noise while training; a `seed` starts a random stream of its own."""

    def __init__(self, stddev: float, seed: int | None = None) -> None:
        super().__init__()
        self.stddev, self.seed = stddev, seed
        self.generator: torch.Generator | None = None

    def noise(self, x: Tensor) -> Tensor:
        started = self.generator is not None and self.generator.device == x.device
        if self.seed is not None and not started:
            self.generator = torch.Generator(x.device).manual_seed(self.seed)
        return torch.empty_like(x).normal_(0.0, self.stddev, generator=self.generator)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.noise(x) if self.training else x
