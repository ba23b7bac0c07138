import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MultiHeadAttention(nn.Module):
    """Attention of several heads, each with projections to a size of its own."""

    def __init__(self, dim: int, heads: int, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.scale = torch.tensor(size**-0.5).float().item()  # rounded as in Keras
        self.query = nn.Linear(dim, heads * size)
        self.key = nn.Linear(dim, heads * size)
        self.value = nn.Linear(dim, heads * size)
        self.output = nn.Linear(heads * size, dim)

    def forward(self, query: Tensor, value: Tensor, causal: bool = False) -> Tensor:
        projected = self.query(query), self.key(value), self.value(value)
        q, k, v = (x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in projected)
        dropout = self.dropout if self.training else 0.0
        heads = F.scaled_dot_product_attention(
            q, k, v, dropout_p=dropout, is_causal=causal, scale=self.scale
        )
        y: Tensor = self.output(heads.transpose(1, 2).flatten(2))
        return y
