from torch import nn

from templates.torch.helpers.keep_result import keep_result


def keep_projections(attention: nn.Module) -> None:
    """Lets each projection of `attention` keep what it gives, for a penalty on it."""
    for projection in attention.children():
        projection.register_forward_hook(keep_result)
