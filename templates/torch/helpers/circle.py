import torch
import torch.nn.functional as F
from torch import Tensor


def circle(
    prediction: Tensor,
    target: Tensor,
    gamma: float = 80.0,
    margin: float = 0.4,
    remove_diagonal: bool = True,
) -> Tensor:
    """The circle loss of each vector among those of the batch: [batch, size], class ids
    [batch] -> [batch]."""
    distance = (1 - prediction @ prediction.T).clamp(min=0)
    same = target[:, None] == target
    other = ~same
    if remove_diagonal:
        same = same.fill_diagonal_(False)
    pull = -gamma * (margin + distance).clamp(min=0) * (margin - distance)
    push = gamma * (1 + margin - distance).clamp(min=0) * (1 - margin - distance)
    near = torch.where(same, pull, -torch.inf).logsumexp(1)
    far = torch.where(other, push, -torch.inf).logsumexp(1)
    return F.softplus(near + far, threshold=40.0)
