from torch import Tensor

from templates.torch.helpers.sparse_top_k_categorical_accuracy import (
    sparse_top_k_categorical_accuracy,
)


def top_k_categorical_accuracy(prediction: Tensor, target: Tensor, k: int) -> Tensor:
    """1 where the target's number is among the k largest (ties count), else 0."""
    return sparse_top_k_categorical_accuracy(prediction, target.argmax(-1), k)
