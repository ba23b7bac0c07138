import torch
from torch import Tensor, nn


class SeededDropout(nn.Module):
    """Dropout that draws from a random stream of its own, started by `seed`; its mask
    is the same all along `axes`."""

    def __init__(self, rate: float, seed: int, axes: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.rate, self.seed, self.axes = rate, seed, axes
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if self.generator is None or self.generator.device != x.device:
            self.generator = torch.Generator(x.device).manual_seed(self.seed)
        shape = [1 if axis in self.axes else size for axis, size in enumerate(x.shape)]
        draws = torch.rand(shape, generator=self.generator, device=x.device)
        return x * (draws >= self.rate) / (1.0 - self.rate)
