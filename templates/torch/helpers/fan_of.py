from torch import Tensor


def fan_of(weight: Tensor, mode: str) -> float:
    """The number of inputs of a unit, of outputs of an input, or the mean of both."""
    fan_in, fan_out = weight[0].numel(), weight[:, 0].numel()
    return {"fan_in": fan_in, "fan_out": fan_out}.get(mode, (fan_in + fan_out) / 2)
