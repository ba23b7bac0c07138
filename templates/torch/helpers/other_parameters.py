from collections.abc import Iterable

from torch import Tensor, nn


def other_parameters(model: nn.Module, *chosen: Iterable[Tensor]) -> list[Tensor]:
    """The parameters of the model that are in none of the lists."""
    taken = {p for parameters in chosen for p in parameters}
    return [p for p in model.parameters() if p not in taken]
