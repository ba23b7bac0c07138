from torch import Tensor


def concordance_correlation(
    prediction: Tensor, target: Tensor, dim: int = -1
) -> Tensor:
    """How well the numbers of prediction and target agree along an axis (Lin, 1989)."""
    a, b = prediction.mean(dim, keepdim=True), target.mean(dim, keepdim=True)
    spread = prediction.var(dim, correction=0) + target.var(dim, correction=0)
    shared = ((target - a) * (prediction - a)).mean(dim)
    return 2 * shared / (spread + (a - b).square().squeeze(dim) + 1e-7)
