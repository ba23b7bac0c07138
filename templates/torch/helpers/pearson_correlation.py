from torch import Tensor


def pearson_correlation(prediction: Tensor, target: Tensor, dim: int = -1) -> Tensor:
    """The correlation between the numbers of prediction and target along an axis."""
    a, b = (x - x.mean(dim, keepdim=True) for x in (prediction, target))
    a, b = (x / x.std(dim, correction=0, keepdim=True) for x in (a, b))
    return (a * b).mean(dim)
