from torch import Tensor

from templates.torch.helpers.signs import signs


def hinge(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean of max(1 - t p, 0)."""
    return (1 - signs(target) * prediction).clamp(min=0).mean(-1)
