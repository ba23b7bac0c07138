from torch import Tensor


def sparse_top_k_categorical_accuracy(
    prediction: Tensor, target: Tensor, k: int
) -> Tensor:
    """1 where the target's number is among the k largest (ties count), else 0."""
    least = prediction.topk(min(k, prediction.shape[-1])).values[..., -1]
    return (prediction.gather(-1, target[..., None])[..., 0] >= least).float()
