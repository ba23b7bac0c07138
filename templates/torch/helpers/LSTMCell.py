from collections.abc import Callable

import torch
from torch import Tensor, nn

from templates.torch.helpers.RecurrentCell import RecurrentCell


class LSTMCell(RecurrentCell):
    """Keras's LSTM cell: gates in the order input, forget, candidate, output, and one
    bias."""

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        bias: bool = True,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
        recurrent_activation: Callable[[Tensor], Tensor] = torch.sigmoid,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__(inputs, units, 4, 2, dropout, recurrent_dropout)
        self.weight_ih = nn.Parameter(torch.empty(4 * units, inputs))
        self.weight_hh = nn.Parameter(torch.empty(4 * units, units))
        self.bias_ih = nn.Parameter(torch.empty(4 * units)) if bias else None
        self.activation, self.recurrent_activation = activation, recurrent_activation

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], masks: list[list[Tensor]]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        h, c = state
        gates = self.project(x, self.weight_ih, masks[0])
        gates = gates + self.project(h, self.weight_hh, masks[1])
        if self.bias_ih is not None:
            gates = gates + self.bias_ih
        i, f, g, o = gates.chunk(4, dim=-1)
        i, f, o = map(self.recurrent_activation, (i, f, o))
        c = f * c + i * self.activation(g)
        h = o * self.activation(c)
        return h, (h, c)
