import torch
import torch.nn.functional as F
from torch import Tensor


def sequence_dropout(x: Tensor, rate: float, training: bool) -> Tensor:
    """Dropout as Keras's recurrent layers apply it to their input: the same features
    are dropped at every step of a sequence."""
    return x * F.dropout(torch.ones_like(x[:, :1]), rate, training)
