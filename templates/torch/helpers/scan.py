import torch
from torch import Tensor

from templates.torch.helpers.RecurrentCell import RecurrentCell


def scan(
    cell: RecurrentCell,
    x: Tensor,
    state: tuple[Tensor, ...] | None = None,
    mask: Tensor | None = None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Runs a cell over x [batch, time, features]: all outputs and the last state. As in
    Keras a step that `mask` [batch, time] leaves out keeps the state and repeats the
    last output (zeros before the first)."""
    if state is None:
        state = cell.initial_state(x)
    drawn = cell.draw(x)
    outputs: list[Tensor] = []
    for t in range(x.shape[1]):
        output, new = cell(x[:, t], state, drawn)
        if mask is not None:
            keep = mask[:, t, None]
            held = outputs[-1] if outputs else torch.zeros_like(output)
            output = torch.where(keep, output, held)
            pairs = zip(new, state, strict=True)
            new = tuple(torch.where(keep, now, before) for now, before in pairs)
        outputs.append(output)
        state = new
    return torch.stack(outputs, dim=1), state
