import torch
from torch import Tensor


def mean_squared_logarithmic_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean squared difference of log(1 + value), of values not below 1e-7."""
    low, high = (
        torch.log1p(prediction.clamp(min=1e-7)),
        torch.log1p(target.clamp(min=1e-7)),
    )
    return (low - high).square().mean(-1)
