from typing import Any

import torch
from torch import Tensor, nn

from templates.torch.helpers.init_linear import init_linear
from templates.torch.helpers.ProjectedAttention import ProjectedAttention


class GatedAttention(ProjectedAttention):
    """Attention whose heads a gate of the query opens and closes."""

    def __init__(self, features: int, heads: int, key_dim: int, **options: Any) -> None:
        super().__init__(features, heads, key_dim, **options)
        self.gate = nn.Linear(features, self.size, options.get("bias", True))
        init_linear(self.gate)

    def join(self, heads: Tensor, query: Tensor) -> Tensor:
        gate = torch.sigmoid(self.gate(query))
        y: Tensor = self.output(gate * heads.transpose(1, 2).flatten(2))
        return y
