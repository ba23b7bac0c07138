import torch
from torch import Tensor, nn


def projection_results(attention: nn.Module, samples: int) -> Tensor:
    """What the projections of `attention` have just given, side by side: [samples,
    numbers]. A gate counts as open as it is, from 0 to 1."""
    results = []
    for name, projection in attention.named_children():
        result: Tensor = vars(projection).pop("result")
        result = torch.sigmoid(result) if name == "gate" else result
        results.append(result.reshape(samples, -1))
    return torch.cat(results, dim=1)
