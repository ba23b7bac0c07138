import torch
from torch import Tensor


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Continuously differentiable ELU; the gradient of F.celu at exactly 0 is not Keras's."""
    positive, negative = x.clamp(min=0.0), x.clamp(max=0.0)
    return positive + alpha * torch.expm1(negative / alpha)
