from torch import Tensor


def squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean squared difference of each sample."""
    return (prediction - target).square().mean(-1)
