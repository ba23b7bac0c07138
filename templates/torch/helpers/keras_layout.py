from torch import Tensor


def keras_layout(tensor: Tensor) -> Tensor:
    """A view of a tensor of Linear or Conv, [out, in, …], as in Keras: […, in, out]."""
    return tensor.movedim((1, 0), (-2, -1)) if tensor.dim() > 1 else tensor
