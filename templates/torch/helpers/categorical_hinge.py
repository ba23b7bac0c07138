from torch import Tensor


def categorical_hinge(prediction: Tensor, target: Tensor) -> Tensor:
    """max(1 + the best wrong score - the right score, 0)."""
    right = (target * prediction).sum(-1)
    wrong = ((1 - target) * prediction).amax(-1)
    return (wrong - right + 1).clamp(min=0)
