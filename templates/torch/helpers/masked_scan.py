import torch
from torch import Tensor, nn


def masked_scan(
    cell: nn.LSTMCell | nn.GRUCell | nn.RNNCell,
    x: Tensor,
    mask: Tensor,
    state: tuple[Tensor, ...] | None = None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Runs a cell over x [batch, time, features]: all outputs and the last state. As in
    Keras a step that `mask` [batch, time] leaves out keeps the state and repeats the
    last output (zeros before the first)."""
    is_lstm = isinstance(cell, nn.LSTMCell)
    if state is None:
        zeros = x.new_zeros(len(x), cell.hidden_size)
        state = (zeros, zeros) if is_lstm else (zeros,)
    output = torch.zeros_like(state[0])
    outputs: list[Tensor] = []
    for step, keep in zip(x.unbind(1), mask.unsqueeze(-1).unbind(1), strict=True):
        new = cell(step, state) if is_lstm else (cell(step, *state),)
        pairs = zip(new, state, strict=True)
        state = tuple(torch.where(keep, now, before) for now, before in pairs)
        output = torch.where(keep, new[0], output)
        outputs.append(output)
    return torch.stack(outputs, dim=1), state
