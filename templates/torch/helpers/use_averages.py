import torch
from torch import optim


@torch.no_grad()
def use_averages(optimizer: optim.Optimizer) -> None:
    """Has the weights become their running means, as at the end of training."""
    for group in optimizer.param_groups:
        for p, mean in zip(group["params"], group.get("averages", ()), strict=False):
            if p.requires_grad:
                p.copy_(mean)
