from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from templates.torch.helpers.RecurrentCell import RecurrentCell


class ConvLSTMCell(RecurrentCell):
    """Keras's convolutional LSTM cell: x is [batch, inputs, *image], a state [batch,
    filters, *sizes]; gates in the order input, forget, candidate, output, and one bias.
    `padding` goes around x, as F.pad takes it; the state keeps its size."""

    def __init__(
        self,
        inputs: int,
        filters: int,
        kernel_size: tuple[int, ...],
        sizes: tuple[int, ...],
        *,
        stride: int | tuple[int, ...] = 1,
        padding: tuple[int, ...] = (0, 0),
        dilation: int | tuple[int, ...] = 1,
        bias: bool = True,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
        recurrent_activation: Callable[[Tensor], Tensor] = torch.sigmoid,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__(inputs, filters, 4, 2, dropout, recurrent_dropout)
        self.weight_ih = nn.Parameter(torch.empty(4 * filters, inputs, *kernel_size))
        self.weight_hh = nn.Parameter(torch.empty(4 * filters, filters, *kernel_size))
        self.bias_ih = nn.Parameter(torch.empty(4 * filters)) if bias else None
        self.sizes, self.stride, self.padding = sizes, stride, padding
        self.dilation = dilation
        sides = [((k - 1) // 2, k // 2) for k in reversed(kernel_size)]
        self.around = tuple(zeros for side in sides for zeros in side)
        self.convolve: Callable[..., Tensor] = [F.conv1d, F.conv2d, F.conv3d][
            len(sizes) - 1
        ]
        self.activation, self.recurrent_activation = activation, recurrent_activation

    def initial_state(self, x: Tensor) -> tuple[Tensor, ...]:
        zeros = x.new_zeros(len(x), self.units, *self.sizes)
        return zeros, zeros

    def draw(self, x: Tensor) -> list[list[Tensor]]:
        """The dropout masks of the input and of the state, one for each gate."""
        likes = (
            (self.dropout, x[:, 0]),
            (self.recurrent_dropout, self.initial_state(x)[0]),
        )
        return [
            [F.dropout(torch.ones_like(like), rate) for _ in range(4)]
            if self.training and rate
            else []
            for rate, like in likes
        ]

    def gates(
        self,
        x: Tensor,
        weight: Tensor,
        masks: list[Tensor],
        padding: tuple[int, ...],
        **options: Any,
    ) -> Tensor:
        """x convolved for the four gates, each of which has a mask of its own."""
        if not masks:
            return self.convolve(F.pad(x, padding), weight, **options)
        parts = zip(masks, weight.chunk(4), strict=True)
        return torch.cat(
            [
                self.convolve(F.pad(x * mask, padding), part, **options)
                for mask, part in parts
            ],
            dim=1,
        )

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], masks: list[list[Tensor]]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        h, c = state
        window = {"stride": self.stride, "dilation": self.dilation}
        gates = self.gates(x, self.weight_ih, masks[0], self.padding, **window)
        gates = gates + self.gates(h, self.weight_hh, masks[1], self.around)
        if self.bias_ih is not None:
            gates = gates + self.bias_ih.view(-1, *[1] * len(self.sizes))
        i, f, g, o = gates.chunk(4, dim=1)
        i, f, o = map(self.recurrent_activation, (i, f, o))
        c = f * c + i * self.activation(g)
        h = o * self.activation(c)
        return h, (h, c)
