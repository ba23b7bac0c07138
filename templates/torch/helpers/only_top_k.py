from torch import Tensor


def only_top_k(prediction: Tensor, k: int) -> Tensor:
    """The k largest numbers along the last axis, the first of equal ones; -1e10 in the
    place of the others."""
    order = prediction.argsort(dim=-1, descending=True, stable=True)
    return prediction.scatter(-1, order[..., k:], -1e10)
