import torch
from torch import Tensor


def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """GELU as Keras has it in float64, with constants that are rounded to float32."""
    if approximate:
        inner = 0.7978845608028654 * (x + 0.044714998453855515 * x**3)
        return 0.5 * x * (1 + torch.tanh(inner))
    return 0.5 * x * torch.erfc(-x * 0.7071067690849304)
