import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Batch normalization whose running variance is biased, as the batch's own is."""

    def __init__(
        self, size: int, decay: float = 0.99, eps: float = 0.001, without: str = ""
    ) -> None:
        super().__init__()
        self.decay, self.eps = decay, eps
        self.weight = None if "weight" in without else nn.Parameter(torch.ones(size))
        self.bias = None if "bias" in without else nn.Parameter(torch.zeros(size))
        self.running_mean = nn.Buffer(torch.zeros(size))
        self.running_var = nn.Buffer(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        mean, var = self.running_mean, self.running_var
        if not self.training:
            return F.batch_norm(x, mean, var, self.weight, self.bias, eps=self.eps)
        dims = [0, *range(2, x.dim())]
        seen = torch.var_mean(x.detach().to(mean.dtype), dims, correction=0)
        var.lerp_(seen[0], 1 - self.decay)
        mean.lerp_(seen[1], 1 - self.decay)
        return torch.batch_norm(
            x, self.weight, self.bias, None, None, True, 0.0, self.eps, True
        )
