from torch import Tensor

from templates.torch.helpers.Metric import Metric


class Recall(Metric):
    """Of all numbers that are 1 in the targets, the share above the threshold."""

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__(lambda prediction, target: prediction > threshold)

    def update(self, prediction: Tensor, target: Tensor) -> None:
        chosen = target > 0
        super().update(prediction[chosen], target[chosen])
