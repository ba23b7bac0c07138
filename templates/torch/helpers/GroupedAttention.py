from typing import Any

from torch import Tensor, nn

from templates.torch.helpers.init_linear import init_linear
from templates.torch.helpers.ProjectedAttention import ProjectedAttention


class GroupedAttention(ProjectedAttention):
    """Attention whose heads share keys and values, `groups` of them."""

    def __init__(
        self, features: int, heads: int, key_dim: int, *, groups: int, **options: Any
    ) -> None:
        super().__init__(features, heads, key_dim, **options)
        self.groups = groups
        size, bias = groups * key_dim, options.get("bias", True)
        self.key = nn.Linear(self.key.in_features, size, bias)
        self.value = nn.Linear(self.value.in_features, size, bias)
        init_linear(self.key)
        init_linear(self.value)

    def project(
        self, query: Tensor, value: Tensor, key: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values as [batch, heads, steps, size]."""
        key = value if key is None else key
        q = self.query(query).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        shared = self.key(key), self.value(value)
        k, v = (x.unflatten(-1, (self.groups, -1)).transpose(1, 2) for x in shared)
        times = self.heads // self.groups
        return q, k.repeat_interleave(times, 1), v.repeat_interleave(times, 1)
