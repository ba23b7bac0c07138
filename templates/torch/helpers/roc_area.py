import torch
from torch import Tensor


def roc_area(counts: Tensor) -> Tensor:
    """The area under the ROC curve, from true and false positives at each threshold."""
    rates = torch.nan_to_num(counts / counts[:, :1])
    return -torch.trapezoid(rates[0], rates[1])
