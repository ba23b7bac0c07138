from torch import Tensor

from templates.torch.helpers.Metric import Metric


class Recall(Metric):
    """Of all numbers that are 1 in the targets, the share above the threshold."""

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__(lambda prediction, target: prediction > threshold)

    def update(
        self, prediction: Tensor, target: Tensor, mask: Tensor | None = None
    ) -> None:
        chosen = target > 0
        if mask is not None:
            chosen = chosen & mask[..., None]
        super().update(prediction, target, chosen)
