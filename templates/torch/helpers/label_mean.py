from torch import Tensor


def label_mean(values: Tensor, weights: list[float]) -> Tensor:
    """The mean of the labels' values, weighted."""
    weight = values.new_tensor(weights)
    return (values * weight).sum() / weight.sum()
