from torch import Tensor

from templates.torch.helpers.Metric import Metric


class Precision(Metric):
    """Of all numbers above the threshold, the share that is 1 in the targets."""

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__(lambda prediction, target: target)
        self.threshold = threshold

    def update(self, prediction: Tensor, target: Tensor) -> None:
        chosen = prediction > self.threshold
        super().update(prediction[chosen], target[chosen])
