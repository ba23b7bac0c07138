from collections.abc import Callable

import torch
from torch import Tensor, nn

from templates.torch.helpers.RecurrentCell import RecurrentCell


class SimpleRNNCell(RecurrentCell):
    """Keras's simple recurrent cell: activation(x @ kernel + bias + h @ recurrent)."""

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        bias: bool = True,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__(inputs, units, 1, 1, dropout, recurrent_dropout)
        self.weight_ih = nn.Parameter(torch.empty(units, inputs))
        self.weight_hh = nn.Parameter(torch.empty(units, units))
        self.bias_ih = nn.Parameter(torch.empty(units)) if bias else None
        self.activation = activation

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], masks: list[list[Tensor]]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        h = self.project(x, self.weight_ih, masks[0])
        if self.bias_ih is not None:
            h = h + self.bias_ih
        h = self.activation(h + self.project(state[0], self.weight_hh, masks[1]))
        return h, (h,)
