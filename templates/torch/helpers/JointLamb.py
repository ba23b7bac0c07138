from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from templates.torch.helpers.as_float32 import as_float32
from templates.torch.helpers.WholeWeights import WholeWeights


class JointLamb(WholeWeights):
    """LAMB: Adam whose steps are as long as the weight itself, times the rate; `joint`
    tensors are one weight."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float],
        epsilon: float,
        joint: Sequence[tuple[Tensor, ...]],
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "epsilon": epsilon}
        super().__init__(params, defaults, joint=joint)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            beta_1, beta_2 = group["betas"]
            for p, w, gradient in self.weights(group):
                state = self.state[p]
                if not state:
                    zeros = torch.zeros_like(w)
                    state.update(step=0, momentum=zeros, velocity=zeros.clone())
                step = state["step"] = state["step"] + 1
                mean = state["momentum"].lerp_(gradient, 1 - beta_1)
                square = state["velocity"].lerp_(gradient.square(), 1 - beta_2)
                root = (square / (1 - as_float32(beta_2) ** step)).sqrt()
                change = mean / (1 - as_float32(beta_1) ** step)
                change /= root + group["epsilon"]
                ratio = w.norm() / change.norm()
                ratio = torch.where(ratio.isfinite() & (ratio > 0), ratio, 1.0)
                w.sub_(ratio * group["lr"] * change)
        return loss
