from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from templates.torch.helpers.RecurrentCell import RecurrentCell


class GRUCell(RecurrentCell):
    """Keras's GRU cell: gates in the order update, reset, candidate; `reset_after` says
    whether the reset gate acts behind the recurrent kernel."""

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
        reset_after: bool = True,
    ) -> None:
        super().__init__(inputs, units, 3, 1, dropout, recurrent_dropout)
        self.weight_ih = nn.Parameter(torch.empty(3 * units, inputs))
        self.weight_hh = nn.Parameter(torch.empty(3 * units, units))
        self.bias_ih = nn.Parameter(torch.empty(3 * units)) if bias else None
        both = bias and reset_after
        self.bias_hh = nn.Parameter(torch.empty(3 * units)) if both else None
        self.activation, self.recurrent_activation = activation, recurrent_activation
        self.reset_after = reset_after

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], masks: list[list[Tensor]]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        (h,) = state
        gates = self.project(x, self.weight_ih, masks[0])
        if self.bias_ih is not None:
            gates = gates + self.bias_ih
        x_z, x_r, x_h = gates.chunk(3, dim=-1)
        if self.reset_after:
            gates = self.project(h, self.weight_hh, masks[1])
            if self.bias_hh is not None:
                gates = gates + self.bias_hh
            h_z, h_r, h_h = gates.chunk(3, dim=-1)
            reset = self.recurrent_activation(x_r + h_r)
            candidate = self.activation(x_h + reset * h_h)
        else:
            gates, last = self.weight_hh.tensor_split([2 * self.units])
            h_z, h_r = self.project(h, gates, masks[1][:2]).chunk(2, dim=-1)
            reset = self.recurrent_activation(x_r + h_r)
            kept = reset * h * masks[1][2] if masks[1] else reset * h
            candidate = self.activation(x_h + F.linear(kept, last))
        update = self.recurrent_activation(x_z + h_z)
        h = update * h + (1 - update) * candidate
        return h, (h,)
