from torch import Tensor


def mean_of_positive(values: Tensor) -> Tensor:
    """The mean of the values that are not 0."""
    return values.sum() / (values > 0).sum().clamp(min=1)
