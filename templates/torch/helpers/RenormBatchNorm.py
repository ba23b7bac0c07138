import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from templates.torch.helpers.PartialBatchNorm import PartialBatchNorm


class RenormBatchNorm(PartialBatchNorm):
    """Batch renormalization: training normalizes with statistics of several batches,
    reached from those of the batch by a factor and an offset within limits."""

    def __init__(
        self,
        size: int,
        *,
        pace: float = 0.99,
        rmin: float = 0.0,
        rmax: float = math.inf,
        dmax: float = math.inf,
        frozen: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(size, **options)
        self.pace, self.rmin, self.rmax, self.dmax = pace, rmin, rmax, dmax
        self.frozen = frozen
        self.running_std = nn.Buffer(torch.ones(size))
        self.renorm_mean = nn.Buffer(torch.zeros(size))
        self.renorm_std = nn.Buffer(torch.ones(size))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if self.frozen or not self.training:
            held = self.running_mean, self.running_var
            return F.batch_norm(x, *held, self.weight, self.bias, eps=self.eps)
        x = x.to(self.running_mean.dtype)
        dims = [0, *range(2, x.dim())]
        if mask is None:
            var, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
        else:
            kept = mask.expand_as(x)
            count = kept.sum(dims, keepdim=True, dtype=x.dtype) + 1e-7
            mean = x.where(kept, 0.0).sum(dims, keepdim=True) / count
            off = (x - mean).where(kept, 0.0)
            var = off.square().sum(dims, keepdim=True) / count
        std = torch.sqrt(var + self.eps)
        r, d = self.correction(mean.detach().flatten(), std.detach().flatten())
        y = (x - mean) / std * r.view_as(mean) + d.view_as(mean)
        if self.weight is not None:
            y = y * self.weight.view_as(mean)
        return y if self.bias is None else y + self.bias.view_as(mean)

    def correction(self, mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
        """The factor and the offset for a batch, whose statistics the others follow."""
        scale = self.renorm_std.clamp(min=self.eps**0.5)
        r = (std / scale).clamp(self.rmin, self.rmax)
        d = ((mean - self.renorm_mean) / scale).clamp(-self.dmax, self.dmax)
        self.renorm_mean.lerp_(mean, 1 - self.pace)
        self.renorm_std.lerp_(std, 1 - self.pace)
        self.running_mean.lerp_(mean, 1 - self.decay)
        self.running_std.lerp_(std, 1 - self.decay)
        self.running_var.copy_((self.running_std.square() - self.eps).relu())
        return r, d
