import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Batch normalization whose running variance is biased, as the batch's own is; of
    the running statistics each batch leaves the share `decay`."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self,
        size: int,
        dim: int = 1,
        decay: float = 0.99,
        eps: float = 0.001,
        weight: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.dim, self.decay, self.eps = dim, decay, eps
        self.weight = nn.Parameter(torch.ones(size)) if weight else None
        self.bias = nn.Parameter(torch.zeros(size)) if bias else None
        self.register_buffer("running_mean", torch.zeros(size))
        self.register_buffer("running_var", torch.ones(size))

    @torch.no_grad()
    def follow(self, mean: Tensor, var: Tensor) -> None:
        self.running_mean.lerp_(mean, 1 - self.decay)
        self.running_var.lerp_(var, 1 - self.decay)

    def normalize(self, x: Tensor, mean: Tensor | None, var: Tensor | None) -> Tensor:
        y = torch.batch_norm(
            x.movedim(self.dim, 1),
            self.weight,
            self.bias,
            mean,
            var,
            mean is None,  # then by the batch's own statistics
            0.0,
            self.eps,
            True,
        )
        return y.movedim(1, self.dim)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return self.normalize(x, self.running_mean, self.running_var)
        seen = x.detach().movedim(self.dim, 0).to(self.running_mean.dtype)
        var, mean = torch.var_mean(seen.flatten(1), 1, correction=0)
        self.follow(mean, var)
        return self.normalize(x, None, None)
