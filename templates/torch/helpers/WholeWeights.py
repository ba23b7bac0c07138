from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, optim

from templates.torch.helpers.keras_layout import keras_layout


class WholeWeights(optim.Optimizer):
    """Base of optimizers that look at each weight as a whole, in Keras's layout: as for
    Linear and Conv, unless `views` has a view of the tensor. `joint` tensors are rows
    of one weight."""

    def __init__(
        self,
        params: Iterable[Tensor],
        defaults: dict[str, Any],
        views: Iterable[tuple[Tensor, Callable[[Tensor], Tensor]]] = (),
        joint: Sequence[tuple[Tensor, ...]] = (),
    ) -> None:
        super().__init__(params, defaults)
        self.views = dict(views)
        self.rows = {p: tensors for tensors in joint for p in tensors}

    def weights(self, group: dict[str, Any]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Each parameter that has a gradient, and the weight and the gradient that it
        stands for. What is written into the weight is the parameter's."""
        for p in group["params"]:
            tensors = self.rows.get(p, (p,))
            if p.grad is None or tensors[0] is not p:
                continue
            if len(tensors) == 1:
                view = self.views.get(p, keras_layout)
                yield p, view(p), view(p.grad)
            else:
                whole = torch.stack(tensors)
                gradients = [row.grad for row in tensors if row.grad is not None]
                yield p, whole, torch.stack(gradients)
                for row, value in zip(tensors, whole, strict=True):
                    row.copy_(value)
