import torch
from torch import Tensor


def mean_iou(matrix: Tensor, chosen: list[int] | None = None) -> Tensor:
    """The mean over classes of intersection over union; classes that do not occur are
    left out. Keras has it in float32."""
    matrix = matrix.float()
    hits = matrix.diag()
    union = matrix.sum(0) + matrix.sum(1) - hits
    if chosen is not None:
        hits, union = hits[chosen], union[chosen]
    ious = torch.where(union > 0, hits / union, 0.0)
    return ious.sum() / ((union > 0).sum() + 1e-7)
