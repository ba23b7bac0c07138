from torch import nn


def init_linear(linear: nn.Linear) -> None:
    """Keras's defaults: a Glorot uniform kernel, a zero bias."""
    nn.init.xavier_uniform_(linear.weight)
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
