"""Recurrent layers over a sequence: SimpleRNN, LSTM, GRU, and RNN over cells of one's own choice.

Paths of weights: `lstm/kernel`, where Keras's variable is `lstm/lstm_cell/kernel` (its layers hold a cell). `RNN` has
its cells as children: `rnn.lstm_cell/kernel` and `rnn.lstm_cell_2/kernel` for `RNN([LSTMCell(8), LSTMCell(4)])`, where
Keras has `rnn/lstm_cell/kernel` for one cell and `rnn/stacked_rnn_cells/lstm_cell/kernel` for several. The Keras
program names the cells, so that only `/lstm_cell` below an LSTM, GRU or SimpleRNN and `/stacked_rnn_cells` differ; the
order of the weights is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.layers.base import Code, Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import arg, entry, snake_case
from nndsl.layers.families.cells import StackedRNNCells, flat_cells, require_cells
from nndsl.layers.kinds import Bool, Choice, Either, ListOf, Of, Regularizer
from nndsl.layers.recurrence import (
    ForgetBias,
    Gates,
    GRURecurrence,
    Kernels,
    Limits,
    LSTMRecurrence,
    Penalties,
    Recurrence,
    ResetAfter,
    Seed,
    SimpleRecurrence,
    Units,
)
from nndsl.layers.sequences import Sequences
from nndsl.layers.shapes import Check, static

_OF_RNN = (
    "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask",
    "activity_regularizer", "trainable", "name",
)  # fmt: skip
"""What `layers.RNN` takes itself; the rest is for its cell."""


class Activity(Layer):
    activity_regularizer = arg(Regularizer, "Adds a penalty on the output to the loss.", None)


class CuDNN(Layer):
    use_cudnn = arg(Either(Bool(), Choice("auto")), "Whether Keras uses cuDNN; torch decides by itself.", "auto")


class ZeroOutput(Layer):
    zero_output_for_mask = arg(Bool(), "Whether masked steps give zeros instead of the last output.", False)


class OwnWeights(Recurrence, Sequences):
    """A layer that is one recurrence over a sequence, and holds its weights itself."""

    def can_fuse(self) -> bool:
        return super().can_fuse()

    def entering(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if self.dropout and not self.recurrent_dropout:
            return code.call(t.helper("sequence_dropout"), x, self.dropout, t.training)
        return x

    def cell_options(self) -> dict[str, object]:
        options = super().cell_options()
        if not self.recurrent_dropout:
            options.pop("dropout", None)  # `entering` has done it
        return options

    def cell_module(self, t: TorchCall) -> code.Expr:
        if not self.can_fuse():
            return t.module(self.cell_call(t), *self.cell_weights(), start=self.start())
        frozen = self.frozen("")
        return t.module(self.fused_cell(t.inputs[0]), *self.fused_weights(""), frozen=frozen, start=self.start())

    def fused_module(self, t: TorchCall) -> code.Expr:
        size = static(t.inputs[0].last, "the kernel", t.inputs[0])
        constructor = code.call(self.fused, size, self.units, **self.fused_options(), batch_first=True)
        return t.module(constructor, *self.fused_weights(), frozen=self.frozen(), start=self.start())


@entry("layer")
class SimpleRNN(
    SimpleRecurrence, OwnWeights, ZeroOutput, Seed, Sequences, Limits, Activity, Penalties, Kernels, Units
):  # fmt: skip
    """Fully recurrent layer: `h = activation(x @ kernel + h @ recurrent_kernel + bias)` at each step.

    Takes [time, features]; gives [units], or [time, units] with `return_sequences=true`. Masked steps keep the state
    and repeat the last output. Weights: kernel [in, units], recurrent_kernel [units, units], bias [units].
    `initial_state=h` starts from a value of [units]. Source: keras/src/layers/rnn/simple_rnn.py.

    Example:
        x -> SimpleRNN(50)
    """

    def keras_spelled(self, k: KerasCall, built: code.Expr) -> code.Expr:
        """Keras 3.15 drops the activity regularizer of `SimpleRNN`: `RNN` takes it, which is the same with the cell."""
        if self.activity_regularizer is None or not isinstance(built, code.Call):
            return built
        inner = tuple((name, value) for name, value in built.kwargs if name not in _OF_RNN)
        outer = tuple((name, value) for name, value in built.kwargs if name in _OF_RNN)
        cell = code.Call(code.dotted("layers.SimpleRNNCell"), built.args, inner)
        return code.Call(code.dotted("layers.RNN"), (cell,), outer)


@entry("layer")
class LSTM(
    LSTMRecurrence, OwnWeights, ZeroOutput, CuDNN, Sequences, Seed, Limits, Activity, Penalties, ForgetBias, Kernels,
    Gates, Units
):  # fmt: skip
    """Long short-term memory (Hochreiter and Schmidhuber, 1997).

    Takes [time, features]; gives [units], or [time, units] with `return_sequences=true`; with `return_state=true` the
    last h and c as well. Masked steps keep the state and repeat the last output. Weights: kernel [in, 4 * units],
    recurrent_kernel [units, 4 * units], bias [4 * units], the gates in the order input, forget, candidate, output.
    `initial_state=(h, c)` starts from two values of [units]. With `stateful=true` each batch goes on from the state in
    which the one before it ended, which needs a fixed batch. Source: keras/src/layers/rnn/lstm.py.

    Example:
        (sequence, h, c) = x -> LSTM(32, return_sequences=true, return_state=true)
    """


@entry("layer")
class GRU(
    GRURecurrence, OwnWeights, ZeroOutput, CuDNN, ResetAfter, Sequences, Seed, Limits, Activity, Penalties, Kernels,
    Gates, Units
):  # fmt: skip
    """Gated recurrent unit (Cho and others, 2014).

    Takes [time, features]; gives [units], or [time, units] with `return_sequences=true`. Masked steps keep the state
    and repeat the last output. Weights: kernel [in, 3 * units], recurrent_kernel [units, 3 * units], bias
    [2, 3 * units] (one for the input, one for the state; [3 * units] with `reset_after=false`), the gates in the order
    update, reset, candidate. `initial_state=h` starts from a value of [units]. Source: keras/src/layers/rnn/gru.py.

    Example:
        x -> GRU(32, return_sequences=true) -> GRU(32)
    """


class Cells(Layer):
    cell = arg(Either(Of("layer"), ListOf(Of("layer"), least=1)), "The cell, or a list of cells from input to output.")


@entry("layer")
class RNN(ZeroOutput, Sequences, Cells):
    """Runs a cell, or several in a row, over a sequence.

    Takes [time, features]; gives what the last cell gives: [units], or [time, units] with `return_sequences=true`; with
    `return_state=true` all states as well, those of the first cell first. `initial_state=(…)` takes them in the same
    order. Several cells run through each step together: a mask holds the last output and all states.
    Source: keras/src/layers/rnn/rnn.py.

    Example:
        x -> RNN([LSTMCell(32), LSTMCell(16)], return_sequences=true)
    """

    def check(self) -> None:
        given: Any = self.cell
        cells = given if isinstance(given, tuple) else (given,)
        require_cells(cells, self.title(), "cell")
        self.cells: tuple[Any, ...] = tuple(flat_cells(cells))
        for cell in self.cells:
            cell.trainable = cell.trainable and self.trainable

    @property
    def stacked(self) -> bool:
        """Whether Keras holds the cells as a stack, of one even."""
        return isinstance(self.cell, tuple | StackedRNNCells)

    @property
    def state_sizes(self) -> tuple[int, ...]:
        return tuple(size for cell in self.cells for size in cell.state_sizes)

    @property
    def state_names(self) -> tuple[str, ...]:
        if len(self.cells) == 1:
            return tuple(self.cells[0].state_names)
        return tuple(f"{name}_{i}" for i, cell in enumerate(self.cells, 1) for name in cell.state_names)

    @property
    def output_size(self) -> int:
        return int(self.cells[-1].units)

    def infer(self, check: Check, x: TensorType, **tensors: Any) -> tuple[TensorType, ...] | TensorType:
        self._step = TensorType((x.shape[0], x.last), x.dtype)
        return super().infer(check, x, **tensors)

    def children(self) -> Sequence[tuple[str, Layer, tuple[TensorType, ...]]]:
        found: list[tuple[str, Layer, tuple[TensorType, ...]]] = []
        step, taken, numbers = self._step, set[str](), dict[str, int]()
        for cell in self.cells:
            base = cell.name or snake_case(cell.title())
            name, number = base, numbers.get(base, 2)
            while name in taken:
                name, number = f"{base}_{number}", number + 1
            taken.add(name)
            numbers[base] = number
            found.append((name, cell, (step,)))
            step = step.with_last(cell.units)
        return found

    def step_multiply_adds(self, size: Dim) -> Dim:
        total: Dim = 0
        for cell in self.cells:
            total, size = total + cell.step_multiply_adds(size), cell.units
        return total

    # ---------------------------------------------------------------------------------------- the programs

    def can_fuse(self) -> bool:
        return len(self.cells) == 1 and not self.cells[0].dropout and bool(self.cells[0].can_fuse())

    def fused_module(self, t: TorchCall) -> code.Expr:
        (inner, cell), *_ = self._calls(t)
        constructor = code.call(
            cell.fused, t.inputs[0].last, cell.units, **cell.fused_options(), batch_first=True
        )  # fmt: skip
        held = [(inner, weight) for weight in cell.fused_weights()]
        return t.module(constructor, held=held, frozen=cell.frozen(), start=cell.start())

    def cell_module(self, t: TorchCall) -> code.Expr:
        calls = self._calls(t)
        if self.can_fuse():
            inner, cell = calls[0]
            held = [(inner, weight) for weight in cell.fused_weights("")]
            return t.module(cell.fused_cell(t.inputs[0]), held=held, frozen=cell.frozen(""), start=cell.start())
        constructors = [cell.cell_call(inner) for inner, cell in calls]
        if len(calls) == 1:
            inner, cell = calls[0]
            weights = [(inner, weight) for weight in cell.cell_weights()]
            return t.module(constructors[0], held=weights, start=cell.start())
        held = []
        for i, (inner, cell) in enumerate(calls):
            for weight in cell.cell_weights():
                held.append((inner, type(weight)(f"cells.{i}.{weight.key}", weight.weight, weight.steps)))
        first, *others = [cell.start() for _, cell in calls]
        start = first if all(other == first for other in others) else None
        return t.module(code.call(t.helper("StackedCells"), *constructors), held=held, start=start)

    def _calls(self, t: TorchCall) -> list[tuple[TorchCall, Any]]:
        self._step = TensorType((t.inputs[0].shape[0], t.inputs[0].last), t.inputs[0].dtype)
        return [(t.child(name, cell, inputs, inputs), cell) for name, cell, inputs in self.children()]

    def nested(self, states: Sequence[object]) -> tuple[object, ...]:
        """States in a row, as Keras nests them: one item for each cell of several."""
        if len(self.cells) == 1:
            return tuple(states)
        result: list[object] = []
        rest = list(states)
        for cell in self.cells:
            count = len(cell.state_names)
            own, rest = rest[:count], rest[count:]
            result.append(own if count > 1 else own[0])
        return tuple(result)

    @property
    def nests(self) -> bool:
        """Whether Keras's states are lists in a list."""
        return len(self.cells) > 1 and any(len(cell.state_names) > 1 for cell in self.cells)

    def keras_arguments(self, k: KerasCall, x: TensorType) -> dict[str, object]:
        # One cell alone stays out of a list: Keras 3.15 cannot unroll a list of one LSTMCell.
        cells = [k.spell(cell, name, {}) for name, cell, _ in self.children()]
        return {**self.keras_changes(x), "cell": cells[0] if len(cells) == 1 else code.List(tuple(cells))}

    def keras(self, k: KerasCall, *inputs: code.Expr) -> Code:
        given = k.tensors.get("initial_state")
        if given is not None:
            k.tensors["initial_state"] = self.nested(given if isinstance(given, tuple | list) else (given,))
        result = super().keras(k, *inputs)
        return code.call("keras.tree.flatten", result) if self.nests and self.return_state else result
