import torch
from torch import Tensor


def r2_score(sums: Tensor, aggregation: str | None = "uniform_average") -> Tensor:
    """The share of the targets' variance that is predicted."""
    total, squares, errors, count = sums.unbind()
    variance = squares - total * total / count
    scores = 1 - errors / variance
    scores = torch.where(scores.isinf(), 0.0, scores)
    if aggregation == "variance_weighted_average":
        return (variance * scores).sum() / variance.sum()
    return scores.mean() if aggregation else scores
