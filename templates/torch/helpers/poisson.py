from torch import Tensor


def poisson(prediction: Tensor, target: Tensor) -> Tensor:
    """The Poisson loss: mean(p - t log(p + 1e-7))."""
    return (prediction - target * (prediction + 1e-7).log()).mean(-1)
