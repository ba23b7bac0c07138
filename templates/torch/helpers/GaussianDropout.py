from torch import Tensor

from templates.torch.helpers.GaussianNoise import GaussianNoise


class GaussianDropout(GaussianNoise):
    """Multiplies by normal noise around 1 while training, as loud as dropout."""

    def __init__(self, rate: float, seed: int | None = None) -> None:
        super().__init__((rate / (1 - rate)) ** 0.5, seed)

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + self.noise(x)) if self.training else x
