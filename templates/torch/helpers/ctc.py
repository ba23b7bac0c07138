import torch
import torch.nn.functional as F
from torch import Tensor


def ctc(prediction: Tensor, target: Tensor) -> Tensor:
    """The CTC loss of each sample: logits [batch, steps, classes], class ids [batch,
    letters] filled up with 0, the blank."""
    logits = prediction.log_softmax(-1).movedim(1, 0)
    steps = torch.full((len(target),), len(logits), device=target.device)
    letters = (target != 0).sum(-1)
    return F.ctc_loss(logits, target, steps, letters, reduction="none")
