from torch import Tensor, nn

from templates.torch.helpers.RecurrentCell import RecurrentCell


class StackedCells(RecurrentCell):
    """Several recurrent cells as one: each step runs through all of them, and the state
    is that of the cells in a row."""

    def __init__(self, *cells: RecurrentCell) -> None:
        states = sum(cell.states for cell in cells)
        super().__init__(cells[0].inputs, cells[-1].units, states=states)
        self.cells = nn.ModuleList(cells)
        self.order = cells

    def initial_state(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(part for cell in self.order for part in cell.initial_state(x))

    def draw(self, x: Tensor) -> list[list[Tensor]]:
        return [masks for cell in self.order for masks in cell.draw(x)]

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...], masks: list[list[Tensor]]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        after: list[Tensor] = []
        for i, cell in enumerate(self.order):
            own = state[len(after) : len(after) + cell.states]
            x, new = cell(x, own, masks[2 * i : 2 * i + 2])
            after.extend(new)
        return x, tuple(after)
