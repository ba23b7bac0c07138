import torch
from torch import Tensor

from templates.torch.helpers.BatchNorm import BatchNorm


class MaskedBatchNorm(BatchNorm):
    """Batch normalization over [batch, steps, channels] whose statistics leave out the
    steps that `mask` [batch, steps] leaves out."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None or not self.training:
            return super().forward(x)
        x = x.to(self.running_mean.dtype)
        kept = mask.unsqueeze(-1).expand_as(x)
        axes = [axis for axis in range(x.dim()) if axis != self.dim % x.dim()]
        count = kept.sum(axes, keepdim=True) + 1e-7
        mean = x.where(kept, 0.0).sum(axes, keepdim=True) / count
        off = x - mean
        var = off.square().where(kept, 0.0).sum(axes, keepdim=True) / count
        self.follow(mean.flatten(), var.flatten())
        y = off * torch.rsqrt(var + self.eps)
        if self.weight is not None:
            y = y * self.weight.view_as(mean)
        return y if self.bias is None else y + self.bias.view_as(mean)
