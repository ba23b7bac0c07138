import torch
from torch import Tensor, nn


class Einsum(nn.Module):
    """`torch.einsum` of a value and a weight, with a bias."""

    def __init__(
        self, equation: str, weight: tuple[int, ...], bias: tuple[int, ...] | None
    ) -> None:
        super().__init__()
        self.equation = equation
        self.weight = nn.Parameter(torch.empty(weight))
        self.bias = None if bias is None else nn.Parameter(torch.empty(bias))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.einsum(self.equation, x, self.weight)
        return y if self.bias is None else y + self.bias
