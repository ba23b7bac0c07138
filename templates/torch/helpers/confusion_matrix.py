import torch
from torch import Tensor


def confusion_matrix(
    prediction: Tensor,
    target: Tensor,
    classes: int,
    ignored: int | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """How often each class (row) is predicted as each (column), of class ids: [classes,
    classes]. Weights count as integers."""
    prediction, target = prediction.flatten().long(), target.flatten().long()
    inside = (prediction >= 0) & (prediction < classes)
    inside &= (target >= 0) & (target < classes)
    if ignored is not None:
        inside &= target != ignored
    pairs = (target * classes + prediction)[inside]
    if weight is not None:
        weight = weight.trunc().flatten().expand_as(target)[inside]
    return torch.bincount(pairs, weight, classes**2).view(classes, classes)
