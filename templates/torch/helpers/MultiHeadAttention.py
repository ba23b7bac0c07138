import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MultiHeadAttention(nn.Module):
    """Attention of several heads, each with projections to a size of its own."""

    def __init__(
        self, features: int, heads: int, key_dim: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.scale = torch.tensor(key_dim**-0.5).float().item()  # rounded as in Keras
        self.query = nn.Linear(features, heads * key_dim)
        self.key = nn.Linear(features, heads * key_dim)
        self.value = nn.Linear(features, heads * key_dim)
        self.output = nn.Linear(heads * key_dim, features)
        for linear in (self.query, self.key, self.value, self.output):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, query: Tensor, value: Tensor, causal: bool = False) -> Tensor:
        projected = self.query(query), self.key(value), self.value(value)
        q, k, v = (x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in projected)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(
            q, k, v, dropout_p=dropout, is_causal=causal, scale=self.scale
        )
        y = self.output(y.transpose(1, 2).flatten(2))
        return y
