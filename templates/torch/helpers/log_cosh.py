import torch
from torch import Tensor


def log_cosh(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean of log(cosh(error)), in a form that large errors do not overflow."""
    error = prediction - target
    log_2 = 0.6931471824645996  # as Keras has it, rounded to float32
    return (torch.logaddexp(error, -error) - log_2).mean(-1)
