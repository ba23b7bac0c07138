import math

import torch
from torch import Tensor


def log_cosh(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean of log(cosh(error)), in a form that large errors do not overflow."""
    error = prediction - target
    return (torch.logaddexp(error, -error) - math.log(2.0)).mean(-1)
