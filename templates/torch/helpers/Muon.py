from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from templates.torch.helpers.as_float32 import as_float32
from templates.torch.helpers.orthogonalized import orthogonalized
from templates.torch.helpers.WholeWeights import WholeWeights


class Muon(WholeWeights):
    """Muon as in Keras: matrices take orthogonal steps. Weights with other numbers of
    axes, and those of `adam`, are left to AdamW."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        decays: tuple[float, float] = (0.004, 0.004),
        momentum: float = 0.95,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        steps: int = 5,
        coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-7,
        adam_ratio: float = 1.0,
        adam: Collection[Tensor] = (),
        views: Iterable[tuple[Tensor, Callable[[Tensor], Tensor]]] = (),
        joint: Sequence[tuple[Tensor, ...]] = (),
    ) -> None:
        super().__init__(params, {"lr": lr}, views, joint)
        self.decays, self.momentum, self.nesterov = decays, momentum, nesterov
        self.rms_rate, self.steps, self.coefficients = rms_rate, steps, coefficients
        self.betas, self.epsilon, self.adam_ratio = betas, epsilon, adam_ratio
        self.adam = set(adam)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            for p, w, gradient in self.weights(group):
                state, matrix = self.state[p], w.dim() == 2 and p not in self.adam
                if not state:
                    state.update(step=0, momentum=torch.zeros_like(gradient))
                    if not matrix:
                        state["velocity"] = torch.zeros_like(gradient)
                state["step"] += 1
                w.mul_(1 - group["lr"] * self.decays[0 if matrix else 1])
                make = self.orthogonal_change if matrix else self.adam_change
                w.sub_(group["lr"] * make(gradient, state))
        return loss

    def orthogonal_change(self, gradient: Tensor, state: dict[str, Any]) -> Tensor:
        mean = state["momentum"].mul_(self.momentum).add_(gradient)
        ahead = gradient + self.momentum * mean if self.nesterov else mean
        change = orthogonalized(ahead, self.steps, self.coefficients)
        if self.rms_rate is None:
            return change
        return change.mul_(max(change.shape) ** 0.5 * self.rms_rate)

    def adam_change(self, gradient: Tensor, state: dict[str, Any]) -> Tensor:
        beta_1, beta_2 = self.betas
        mean = state["momentum"].lerp_(gradient, 1 - beta_1)
        square = state["velocity"].lerp_(gradient.square(), 1 - beta_2)
        rate = self.adam_ratio / (1 - as_float32(beta_1) ** state["step"])
        rate *= (1 - as_float32(beta_2) ** state["step"]) ** 0.5
        change: Tensor = rate * mean / (square.sqrt() + self.epsilon)
        return change
