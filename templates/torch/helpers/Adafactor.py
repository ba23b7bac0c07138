from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from templates.torch.helpers.root_mean_square import root_mean_square
from templates.torch.helpers.WholeWeights import WholeWeights


class Adafactor(WholeWeights):
    """Adafactor as in Keras: of the mean squares of gradients it keeps those over each
    of the last two axes."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        beta_2_decay: float = -0.8,
        epsilons: tuple[float, float] = (1e-30, 1e-3),
        clip_threshold: float = 1.0,
        views: Iterable[tuple[Tensor, Callable[[Tensor], Tensor]]] = (),
        joint: Sequence[tuple[Tensor, ...]] = (),
    ) -> None:
        defaults = {"lr": lr, "beta_2_decay": beta_2_decay, "epsilons": epsilons}
        defaults["clip_threshold"] = clip_threshold
        super().__init__(params, defaults, views, joint)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            epsilon_1, epsilon_2 = group["epsilons"]
            for p, w, gradient in self.weights(group):
                state, square = self.state[p], gradient.square() + epsilon_1
                if not state and w.dim() > 1:
                    mean = torch.zeros_like(square)
                    state.update(step=0, r=mean.mean(-1), c=mean.mean(-2))
                elif not state:
                    state.update(step=0, velocity=torch.zeros_like(square))
                step = state["step"] = state["step"] + 1
                new = step ** group["beta_2_decay"]
                if w.dim() > 1:
                    r = state["r"].lerp_(square.mean(-1), new)
                    c = state["c"].lerp_(square.mean(-2), new)
                    r = r / r.mean(-1, keepdim=True)
                    square = r.unsqueeze(-1) * c.unsqueeze(-2)
                else:
                    square = state["velocity"].lerp_(square, new)
                change = gradient / square.sqrt()
                size = root_mean_square(change) / group["clip_threshold"]
                rate = root_mean_square(w).clamp(min=epsilon_2)
                rate *= min(group["lr"], step**-0.5)
                w.sub_(rate * change / size.clamp(min=1.0))
        return loss
