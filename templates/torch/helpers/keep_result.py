from torch import Tensor, nn


def keep_result(module: nn.Module, inputs: object, result: Tensor) -> None:
    """A hook that lets a module keep what it gives."""
    module.result = result
