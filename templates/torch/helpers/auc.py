import torch
from torch import Tensor


def auc(prediction: Tensor, target: Tensor, num_thresholds: int = 200) -> Tensor:
    """How many numbers are above each threshold: of those that are 1 in the targets,
    and of the others."""
    steps = torch.arange(1, num_thresholds - 1).to(prediction) / (num_thresholds - 1)
    ends = torch.tensor([-1e-7, 1 + 1e-7]).to(prediction)
    above = prediction.reshape(-1, 1) > torch.cat([ends[:1], steps, ends[1:]])
    positive = target.reshape(-1, 1) > 0
    return torch.stack([(above & positive).sum(0), (above & ~positive).sum(0)])
