import torch
import torch.nn.functional as F
from torch import Tensor, nn

from templates.torch.helpers.init_linear import init_linear


class ProjectedAttention(nn.Module):
    """Attention of several heads, whose projections may differ in size."""

    def __init__(
        self,
        features: int,
        heads: int,
        key_dim: int,
        *,
        value_dim: int | None = None,
        value_features: int | None = None,
        key_features: int | None = None,
        out_features: int | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.size = heads * (value_dim or key_dim)
        value_features = value_features or features
        self.query = nn.Linear(features, heads * key_dim, bias)
        self.key = nn.Linear(key_features or value_features, heads * key_dim, bias)
        self.value = nn.Linear(value_features, self.size, bias)
        self.output = nn.Linear(self.size, out_features or features, bias)
        self.scale = torch.tensor(key_dim**-0.5).float().item()  # rounded as in Keras
        for linear in (self.query, self.key, self.value, self.output):
            init_linear(linear)

    def project(
        self, query: Tensor, value: Tensor, key: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values as [batch, heads, steps, size]."""
        key = value if key is None else key
        projected = self.query(query), self.key(key), self.value(value)
        q, k, v = (x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in projected)
        return q, k, v

    def join(self, heads: Tensor, query: Tensor) -> Tensor:
        """The results of all heads side by side, projected."""
        y: Tensor = self.output(heads.transpose(1, 2).flatten(2))
        return y

    def forward(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        q, k, v = self.project(query, value, key)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(
            q, k, v, dropout_p=dropout, is_causal=causal, scale=self.scale
        )
        return self.join(y, query)
