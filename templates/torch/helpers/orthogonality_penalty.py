import torch.nn.functional as F
from torch import Tensor


def orthogonality_penalty(rows: Tensor) -> Tensor:
    """The mean absolute cosine between every two rows: 0 where all are orthogonal."""
    rows = F.normalize(rows, dim=1, eps=1e-7)
    cosines = (rows @ rows.T).abs()
    others = cosines.sum() - cosines.diagonal().sum()
    return others / (len(rows) * (len(rows) - 1))
