from torch import Tensor


def mean_absolute_percentage_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean difference in percent of the target (of 1e-7 where that is smaller)."""
    size = target.abs().clamp(min=1e-7)
    return 100 * ((target - prediction) / size).abs().mean(-1)
