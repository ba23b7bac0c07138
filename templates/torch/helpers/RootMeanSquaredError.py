import math

from templates.torch.helpers.Metric import Metric
from templates.torch.helpers.squared_error import squared_error


class RootMeanSquaredError(Metric):
    """The root of the mean squared difference over all batches together."""

    def __init__(self) -> None:
        super().__init__(squared_error)

    def result(self) -> float:
        return math.sqrt(super().result())
