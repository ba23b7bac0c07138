import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RecurrentCell(nn.Module):
    """What all recurrent cells share. Dropout is Keras's: its masks are drawn once per
    sequence, and with recurrent dropout there is one for each gate."""

    def __init__(
        self,
        inputs: int,
        units: int,
        gates: int = 1,
        states: int = 1,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.inputs, self.units, self.states = inputs, units, states
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.masks = gates if recurrent_dropout else 1

    def initial_state(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(x.new_zeros(x.shape[0], self.units) for _ in range(self.states))

    def draw(self, x: Tensor) -> list[list[Tensor]]:
        """The dropout masks of the input and of the state for one pass over x."""
        rates = ((self.dropout, self.inputs), (self.recurrent_dropout, self.units))
        return [
            [F.dropout(x.new_ones(x.shape[0], size), rate) for _ in range(self.masks)]
            if self.training and rate
            else []
            for rate, size in rates
        ]

    def project(self, x: Tensor, weight: Tensor, masks: list[Tensor]) -> Tensor:
        """x @ weight.T, where each gate sees x through its own dropout mask."""
        if not masks:
            return F.linear(x, weight)
        parts = zip(masks, weight.chunk(len(masks)), strict=True)
        return torch.cat([F.linear(x * mask, part) for mask, part in parts], dim=-1)
