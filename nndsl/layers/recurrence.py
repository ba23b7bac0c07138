"""What the recurrent layers (families/recurrent.py) and the cells (families/cells.py) share: arguments, weights, and
how torch computes a step or a whole sequence.

Weights have the names, shapes and order of keras/src/layers/rnn/{lstm,gru,simple_rnn}.py.
"""

from __future__ import annotations

from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer, Weight
from nndsl.layers.build import default_of
from nndsl.layers.emit import InitRecord, Step, TorchCall, TorchScope, TorchWeight
from nndsl.layers.entry import Entry, arg
from nndsl.layers.families.initializers import Initializer as InitializerEntry
from nndsl.layers.kinds import Activation, Bool, Constraint, Float, Initializer, Int, Maybe, Regularizer
from nndsl.layers.shapes import static
from nndsl.records import replace

TRANSPOSED: Step = ("permute", (1, 0))

# ------------------------------------------------------- arguments, in groups: Keras's order differs between layers


class Units(Layer):
    units = arg(Int(1), "Size of the output and of the state.", formerly=("output_dim",))
    activation = arg(Activation, "Applied to the candidate and to the output.", "tanh")


class Gates(Layer):
    recurrent_activation = arg(Activation, "Applied to the gates.", "sigmoid", formerly=("inner_activation",))


class Kernels(Layer):
    use_bias = arg(Bool(), "Whether a bias is added.", True)
    kernel_initializer = arg(Initializer, "Fills the input's kernel.", "glorot_uniform", formerly=("init",))
    recurrent_initializer = arg(Initializer, "Fills the state's kernel.", "orthogonal", formerly=("inner_init",))
    bias_initializer = arg(Initializer, "Fills the bias.", "zeros")


class ForgetBias(Layer):
    unit_forget_bias = arg(Bool(), "Whether the forget gate's bias starts at 1.", True, formerly=("forget_bias_init",))


class Penalties(Layer):
    kernel_regularizer = arg(
        Regularizer, "Adds a penalty on the input's kernel to the loss.", None, formerly=("W_regularizer",)
    )
    recurrent_regularizer = arg(
        Regularizer, "Adds a penalty on the state's kernel to the loss.", None, formerly=("U_regularizer",)
    )
    bias_regularizer = arg(Regularizer, "Adds a penalty on the bias to the loss.", None, formerly=("b_regularizer",))


class Limits(Layer):
    kernel_constraint = arg(Constraint, "Holds the input's kernel to a set after each step of training.", None)
    recurrent_constraint = arg(Constraint, "Holds the state's kernel to a set after each step of training.", None)
    bias_constraint = arg(Constraint, "Holds the bias to a set after each step of training.", None)
    dropout = arg(
        Float(0, 1, below=True), "Share of the input that is dropped in training.", 0.0, formerly=("dropout_W",)
    )
    recurrent_dropout = arg(
        Float(0, 1, below=True), "Share of the state that is dropped in training.", 0.0, formerly=("dropout_U",)
    )


class ResetAfter(Layer):
    reset_after = arg(Bool(), "Whether the reset gate acts behind the state's kernel (as cuDNN does).", True)


class Seed(Layer):
    seed = arg(Maybe(Int(0)), "Seeds the dropout.", None)


# --------------------------------------------------------------------------------------------------- behaviour


class ForgetBiasInit(InitializerEntry):
    """The bias of an LSTM with `unit_forget_bias`: ones for the forget gate, `initializer` for the others.

    Keras calls the initializer once for the input gate and once for the two last, so each call sees its own shape.
    """

    def __init__(self, initializer: Any, units: int) -> None:
        super().__init__({"initializer": initializer}, default_of)
        self.initializer, self.units = initializer, units

    def misfit(self, shape: tuple[int, ...]) -> str | None:
        reason: str | None = self.initializer.misfit((self.units,))
        return reason

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        units = self.units
        ones = code.Do(
            code.call(
                "nn.init.ones_", code.index(record.target, code.Slice(code.Literal(units), code.Literal(2 * units)))
            ),
            comment="the forget gate",
        )
        if self.initializer.title() == "Zeros":
            return [*self.initializer.torch(scope, record), ones]
        result: list[code.Stmt] = []
        parts = ((None, code.Literal(units), units), (code.Literal(2 * units), None, 2 * units))
        for start, stop, size in parts:
            target = code.index(record.target, code.Slice(start, stop))
            part = replace(record, target=target, weight=replace(record.weight, shape=(size,)))
            result += self.initializer.torch(scope, part)
        return [*result, ones]


class Recurrence(Layer):
    """What a cell and the layer made of it share. Subclasses also take the groups of arguments above."""

    gates: ClassVar[int]
    state_names: ClassVar[tuple[str, ...]] = ("h",)
    cell: ClassVar[str]  # the helper in templates/torch/helpers
    fused: ClassVar[str]  # torch's own module over a whole sequence

    units: int
    activation: Entry | None
    recurrent_activation: Entry | None
    use_bias: bool
    kernel_initializer: Entry
    recurrent_initializer: Entry
    bias_initializer: Entry
    kernel_regularizer: Entry | None
    recurrent_regularizer: Entry | None
    bias_regularizer: Entry | None
    kernel_constraint: Entry | None
    recurrent_constraint: Entry | None
    bias_constraint: Entry | None
    dropout: float
    recurrent_dropout: float

    @property
    def state_sizes(self) -> tuple[int, ...]:
        return (self.units,) * len(self.state_names)

    def bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def start_of_bias(self) -> Any:
        return self.bias_initializer

    def weights(self, *inputs: Any, **tensors: Any) -> list[Weight]:
        size = static(inputs[0].last, f"the kernel of `{self.title()}`", inputs[0])
        width = self.gates * self.units
        found = [
            Weight(
                "kernel",
                (size, width),
                self.kernel_initializer,
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
            ),
            Weight(
                "recurrent_kernel",
                (self.units, width),
                self.recurrent_initializer,
                regularizer=self.recurrent_regularizer,
                constraint=self.recurrent_constraint,
            ),
        ]
        if self.use_bias:
            found.append(
                Weight(
                    "bias",
                    self.bias_shape(),
                    self.start_of_bias(),
                    regularizer=self.bias_regularizer,
                    constraint=self.bias_constraint,
                )
            )
        return found

    def step_multiply_adds(self, size: Dim) -> Dim:
        """Multiply-adds of one step over an input of `size` features."""
        return (size + self.units) * (self.gates * self.units)

    # -------------------------------------------------------------------------------------------- in torch

    def cell_call(self, t: TorchCall) -> code.Call:
        """The helper that computes one step: `LSTMCell(8, 20)`."""
        size = static(t.inputs[0].last, "the kernel", t.inputs[0])
        options: dict[str, object] = {} if self.use_bias else {"bias": False}
        if not is_activation(self.activation, "tanh"):
            options["activation"] = function(t, self.activation)
        if "recurrent_activation" in self.arguments and not is_activation(self.recurrent_activation, "sigmoid"):
            options["recurrent_activation"] = function(t, self.recurrent_activation)
        return code.call(t.helper(self.cell), size, self.units, **options, **self.cell_options())

    def cell_options(self) -> dict[str, object]:
        rates = {"dropout": self.dropout, "recurrent_dropout": self.recurrent_dropout}
        return {name: rate for name, rate in rates.items() if rate}

    def cell_weights(self) -> list[TorchWeight]:
        """Where the tensors of the helper come from."""
        found = [
            TorchWeight("weight_ih", "kernel", (TRANSPOSED,)),
            TorchWeight("weight_hh", "recurrent_kernel", (TRANSPOSED,)),
        ]
        return [*found, TorchWeight("bias_ih", "bias")] if self.use_bias else found

    def start(self) -> code.Call | None:
        """The helper that fills all weights, where they start as Keras starts them by default."""
        return usual_start(self)

    def can_fuse(self) -> bool:
        """Whether torch's own module computes exactly this (dropout of the input stays outside of it)."""
        return not self.recurrent_dropout and is_activation(self.activation, "tanh")

    def fused_options(self) -> dict[str, object]:
        return {} if self.use_bias else {"bias": False}

    def fused_cell(self, x: TensorType) -> code.Call:
        """torch's own module for one step: `nn.LSTMCell(8, 20)`."""
        size = static(x.last, "the kernel", x)
        return code.call(f"{self.fused}Cell", size, self.units, **self.fused_options())

    def fused_weights(self, suffix: str = "_l0") -> list[TorchWeight]:
        found = [
            TorchWeight(f"weight_ih{suffix}", "kernel", (TRANSPOSED,)),
            TorchWeight(f"weight_hh{suffix}", "recurrent_kernel", (TRANSPOSED,)),
        ]
        return [*found, TorchWeight(f"bias_ih{suffix}", "bias")] if self.use_bias else found

    def frozen(self, suffix: str = "_l0") -> tuple[str, ...]:
        """torch's second bias, where Keras has one alone."""
        return (f"bias_hh{suffix}",) if self.use_bias else ()


class LSTMRecurrence(Recurrence):
    gates, state_names, cell, fused = 4, ("h", "c"), "LSTMCell", "nn.LSTM"
    unit_forget_bias: bool

    def start_of_bias(self) -> Any:
        return ForgetBiasInit(self.bias_initializer, self.units) if self.unit_forget_bias else self.bias_initializer

    def can_fuse(self) -> bool:
        return super().can_fuse() and is_activation(self.recurrent_activation, "sigmoid")

    def start(self) -> code.Call | None:
        return usual_start(self, self.units if self.unit_forget_bias else 0)


class GRURecurrence(Recurrence):
    gates, cell, fused = 3, "GRUCell", "nn.GRU"
    reset_after: bool

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def cell_options(self) -> dict[str, object]:
        return super().cell_options() | ({} if self.reset_after else {"reset_after": False})

    def cell_weights(self) -> list[TorchWeight]:
        kernels = super().cell_weights()[:2]
        if not self.use_bias:
            return kernels
        if not self.reset_after:
            return [*kernels, TorchWeight("bias_ih", "bias")]
        both = (TorchWeight("bias_ih", "bias", (("take", (0,)),)), TorchWeight("bias_hh", "bias", (("take", (1,)),)))
        return [*kernels, *both]

    def can_fuse(self) -> bool:
        return super().can_fuse() and self.reset_after and is_activation(self.recurrent_activation, "sigmoid")

    def fused_weights(self, suffix: str = "_l0") -> list[TorchWeight]:
        order: Step = ("blocks", (1, 0, 2))  # Keras: update, reset, candidate; torch: reset, update, candidate
        kernels = [replace(item, steps=(*item.steps, order)) for item in super().fused_weights(suffix)[:2]]
        if not self.use_bias:
            return kernels
        rows = (("bias_ih", 0), ("bias_hh", 1))
        return [*kernels, *(TorchWeight(f"{key}{suffix}", "bias", (("take", (row,)), order)) for key, row in rows)]

    def frozen(self, suffix: str = "_l0") -> tuple[str, ...]:
        return ()


class SimpleRecurrence(Recurrence):
    gates, cell, fused = 1, "SimpleRNNCell", "nn.RNN"

    def can_fuse(self) -> bool:
        return not self.recurrent_dropout and (
            is_activation(self.activation, "tanh") or is_activation(self.activation, "relu")
        )

    def fused_options(self) -> dict[str, object]:
        return super().fused_options() | ({"nonlinearity": "relu"} if is_activation(self.activation, "relu") else {})


def usual_start(layer: Any, forget: int = 0) -> code.Call | None:
    """`init_recurrent()`, which fills all weights of a cell, where its initializers are Keras's defaults; `forget` is
    the size of a forget gate whose bias starts at 1."""
    titles = {"kernel_initializer": "GlorotUniform", "recurrent_initializer": "Orthogonal"}
    if layer.use_bias:
        titles["bias_initializer"] = "Zeros"
    found = {name: getattr(layer, name) for name in titles}
    if any(entry.title() != titles[name] or entry.given for name, entry in found.items()):
        return None
    return code.call("init_recurrent", *((forget,) if forget and layer.use_bias else ()))


def is_activation(activation: Entry | None, name: str) -> bool:
    return activation is not None and activation.title() == name and not activation.given


def function(t: TorchCall, activation: Any) -> code.Expr:
    """An activation as a function of one tensor: `F.relu`, `lambda v: F.softmax(v, dim=-1)`."""
    value = code.Name("v")
    result = t.activate(activation, value)
    if isinstance(result, code.Call) and result.args == (value,) and not result.kwargs:
        return result.func
    return code.call("nn.Identity") if result == value else code.Lambda("v", result)
