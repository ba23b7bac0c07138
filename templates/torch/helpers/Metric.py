from collections.abc import Callable

import torch
from torch import Tensor


class Metric:
    """The mean of `values(prediction, target)` over all samples of all batches."""

    def __init__(self, values: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.values = values
        self.total: Tensor | float = 0.0
        self.count: Tensor | int = 0

    @torch.no_grad()
    def update(
        self, prediction: Tensor, target: Tensor, mask: Tensor | None = None
    ) -> None:
        values = self.values(prediction, target)
        if mask is None:
            mask = torch.ones_like(values, dtype=torch.bool)
        self.total = self.total + torch.where(mask, values, 0).sum()
        self.count = self.count + mask.sum()

    def result(self) -> float:
        return float(self.total) / max(float(self.count), 1.0)
