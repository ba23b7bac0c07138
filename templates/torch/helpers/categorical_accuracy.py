from torch import Tensor


def categorical_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """Whether the largest number is where the target's is."""
    return prediction.argmax(-1) == target.argmax(-1)
