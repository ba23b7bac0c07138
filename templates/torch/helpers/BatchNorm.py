import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Batch normalization whose running variance is biased, as the batch's own is."""

    def __init__(self, size: int, decay: float = 0.99, eps: float = 0.001) -> None:
        super().__init__()
        self.decay, self.eps = decay, eps
        self.weight = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size))
        self.running_mean = nn.Buffer(torch.zeros(size))
        self.running_var = nn.Buffer(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        w, b, mean, var = self.weight, self.bias, self.running_mean, self.running_var
        if not self.training:
            return F.batch_norm(x, mean, var, w, b, eps=self.eps)
        seen = torch.var_mean(x.detach().to(var), [0, *range(2, x.dim())], correction=0)
        var.mul_(self.decay).add_(seen[0], alpha=1 - self.decay)
        mean.mul_(self.decay).add_(seen[1], alpha=1 - self.decay)
        return torch.batch_norm(x, w, b, None, None, True, 0.0, self.eps, True)
