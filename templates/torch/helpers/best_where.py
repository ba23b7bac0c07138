import torch
from torch import Tensor


def best_where(rates: Tensor, enough: Tensor) -> Tensor:
    """The highest rate where there is enough of the other; 0 where there never is."""
    return torch.where(enough, rates, 0.0).amax()
