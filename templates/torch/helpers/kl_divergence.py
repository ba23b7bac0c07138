from torch import Tensor


def kl_divergence(prediction: Tensor, target: Tensor) -> Tensor:
    """How far the predicted distribution is from the target's, both clipped to 1e-7."""
    target, prediction = target.clamp(1e-7, 1), prediction.clamp(1e-7, 1)
    return (target * (target / prediction).log()).sum(-1)
