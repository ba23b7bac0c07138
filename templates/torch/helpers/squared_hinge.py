from torch import Tensor

from templates.torch.helpers.signs import signs


def squared_hinge(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean of max(1 - t p, 0) squared."""
    return (1 - signs(target) * prediction).clamp(min=0).square().mean(-1)
