import torch
from torch import Tensor, nn


class AlphaDropout(nn.Module):
    """Dropout for SELU networks: a dropped value becomes SELU's lowest, and all are
    scaled and shifted so that mean 0 and variance 1 stay.

    The mask is the same all along `axes`; a `seed` starts a random stream of its own.
    """

    def __init__(
        self, rate: float, axes: tuple[int, ...] = (), seed: int | None = None
    ) -> None:
        super().__init__()
        self.rate, self.axes, self.seed = rate, axes, seed
        self.lowest = -1.6732632423543772 * 1.0507009873554805
        self.scale: float = ((1 - rate) * (1 + rate * self.lowest**2)) ** -0.5
        self.generator: torch.Generator | None = None

    def draws(self, x: Tensor) -> Tensor:
        started = self.generator is not None and self.generator.device == x.device
        if self.seed is not None and not started:
            self.generator = torch.Generator(x.device).manual_seed(self.seed)
        shape = [1 if axis in self.axes else size for axis, size in enumerate(x.shape)]
        return torch.rand(shape, generator=self.generator, device=x.device)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        x = x.where(self.draws(x) >= self.rate, self.lowest)
        return self.scale * (x - self.rate * self.lowest)
