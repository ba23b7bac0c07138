from torch import Tensor


def sparse_categorical_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """Whether the largest number is at the target, a class id."""
    return prediction.argmax(-1) == target
