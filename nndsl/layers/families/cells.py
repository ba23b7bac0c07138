"""One step of a recurrence, for use inside `RNN`: LSTMCell, GRUCell, SimpleRNNCell, StackedRNNCells.

A cell is no stage of its own in a file. A stack has no weights and no place in their paths: the cells of
`RNN(StackedRNNCells([a, b]))` are named as those of `RNN([a, b])`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nndsl import code
from nndsl.layers.base import Layer, Types
from nndsl.layers.emit import TorchCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.kinds import ListOf, Of
from nndsl.layers.recurrence import (
    ForgetBias,
    Gates,
    GRURecurrence,
    Kernels,
    Limits,
    LSTMRecurrence,
    Penalties,
    ResetAfter,
    Seed,
    SimpleRecurrence,
    Units,
)
from nndsl.layers.shapes import Check, ShapeError
from nndsl.layers.wrapping import own_remedy


class CellLayer(Layer):
    """Base of what `RNN` takes."""

    def infer(self, check: Check, *inputs: Any, **tensors: Any) -> Types:
        raise ShapeError(
            f"`{self.title()}` is a single step, not a layer that runs over a sequence",
            code="NN0215",
            inputs=(),
            help=f"put it into an `RNN`: `RNN({self.title()}(…))`",
        )

    def torch(self, t: TorchCall, *inputs: code.Expr) -> code.Expr:
        raise TypeError("cells run inside RNN")


@entry("layer")
class SimpleRNNCell(SimpleRecurrence, CellLayer, Seed, Limits, Penalties, Kernels, Units):
    """One step of a `SimpleRNN`, for use inside `RNN`: `activation(x @ kernel + h @ recurrent_kernel + bias)`.

    Weights: kernel [in, units], recurrent_kernel [units, units], bias [units]. State: one value of [units].

    Example:
        x -> RNN(SimpleRNNCell(32))
    """


@entry("layer")
class LSTMCell(LSTMRecurrence, CellLayer, Seed, Limits, Penalties, ForgetBias, Kernels, Gates, Units):
    """One step of an `LSTM`, for use inside `RNN`.

    Weights: kernel [in, 4 * units], recurrent_kernel [units, 4 * units], bias [4 * units], the gates in the order
    input, forget, candidate, output. State: two values of [units], h and c.

    Example:
        x -> RNN([LSTMCell(32), LSTMCell(16)])
    """


@entry("layer")
class GRUCell(GRURecurrence, CellLayer, Seed, ResetAfter, Limits, Penalties, Kernels, Gates, Units):
    """One step of a `GRU`, for use inside `RNN`.

    Weights: kernel [in, 3 * units], recurrent_kernel [units, 3 * units], bias [2, 3 * units] ([3 * units] without
    `reset_after`), the gates in the order update, reset, candidate. State: one value of [units].

    Example:
        x -> RNN(GRUCell(32), return_sequences=true)
    """


@entry("layer")
class StackedRNNCells(CellLayer):
    """Several cells as one, each step running through all of them; `RNN([…])` is the same.

    Example:
        x -> RNN(StackedRNNCells([LSTMCell(32), GRUCell(16)]))
    """

    cells = arg(ListOf(Of("layer"), least=1), "The cells, from the input to the output.")

    def check(self) -> None:
        require_cells(self.cells, self.title(), "cells")


def require_cells(cells: Sequence[Any], layer: str, argument: str) -> None:
    for cell in cells:
        if not isinstance(cell, CellLayer):
            near = {"LSTM": "LSTMCell", "GRU": "GRUCell", "SimpleRNN": "SimpleRNNCell"}.get(cell.title())
            raise ConfigError(
                f"`{layer}` takes cells (`LSTMCell`, `GRUCell`, `SimpleRNNCell`), not `{cell.title()}`",
                argument,
                help=f"write `{near}`" if near else own_remedy(cell, "a cell"),
            )


def flat_cells(cells: Sequence[Any]) -> Iterator[Any]:
    """The cells of a stack one by one; a stack inside a stack is the same as its cells."""
    for cell in cells:
        if isinstance(cell, StackedRNNCells):
            yield from flat_cells(cell.cells)
        else:
            yield cell
