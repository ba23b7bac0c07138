import torch
import torch.nn.functional as F
from torch import Tensor, nn

from templates.torch.helpers.ProjectedAttention import ProjectedAttention


def attend(
    attention: ProjectedAttention,
    query: Tensor,
    value: Tensor,
    key: Tensor | None = None,
    *,
    mask: Tensor | None = None,
    zeros: bool = False,
    drop: nn.Module | None = None,
) -> tuple[Tensor, Tensor]:
    """What `attention` gives under a mask of [batch, heads, query steps, value steps],
    and its scores. A query that may look nowhere sees the mean of all values, or
    nothing with `zeros`: Keras has both."""
    q, k, v = attention.project(query, value, key)
    scores = q @ k.mT * attention.scale
    if mask is not None:
        far = -3e4 if scores.dtype == torch.float16 else -1e9  # as in Keras
        scores = scores.masked_fill(~mask, far)
    scores = F.softmax(scores, dim=-1)
    if mask is not None and zeros:
        scores = scores.masked_fill(~mask, 0.0)
    if drop is None:
        kept = F.dropout(scores, attention.dropout, attention.training)
    else:
        kept = drop(scores)
    return attention.join(kept @ v, query), scores
