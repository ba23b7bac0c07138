import torch
from torch import Tensor

from templates.torch.helpers.PartialBatchNorm import PartialBatchNorm


class MaskedBatchNorm(PartialBatchNorm):
    """Batch normalization whose statistics leave out what `mask`, of the shape of the
    input or broadcast to it, leaves out."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None or not self.training:
            return super().forward(x)
        x = x.to(self.running_mean.dtype)
        kept, dims = mask.expand_as(x), [0, *range(2, x.dim())]
        count = kept.sum(dims, keepdim=True, dtype=x.dtype) + 1e-7
        mean = x.where(kept, 0.0).sum(dims, keepdim=True) / count
        off = x - mean
        var = off.square().where(kept, 0.0).sum(dims, keepdim=True) / count
        self.running_mean.lerp_(mean.detach().flatten(), 1 - self.decay)
        self.running_var.lerp_(var.detach().flatten(), 1 - self.decay)
        y = off * torch.rsqrt(var + self.eps)
        if self.weight is not None:
            y = y * self.weight.view_as(mean)
        return y if self.bias is None else y + self.bias.view_as(mean)
