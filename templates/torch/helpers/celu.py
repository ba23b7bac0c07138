import torch
from torch import Tensor


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Continuously differentiable ELU; F.celu has another gradient at exactly 0."""
    positive, negative = x.clamp(min=0.0), x.clamp(max=0.0)
    return positive + alpha * torch.expm1(negative / alpha)
