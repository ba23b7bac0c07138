"""Embedding."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nndsl import code
from nndsl.ir.types import INTEGERS, TensorType, show_shape
from nndsl.layers.base import Layer, Weight
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.emit_keras import OMIT, KerasCall
from nndsl.layers.entry import Arg, ConfigError, arg, entry
from nndsl.layers.families.initializers import Values
from nndsl.layers.kinds import Bool, Constraint, Float, Initializer, Int, ListOf, Maybe, Regularizer
from nndsl.layers.shapes import Check, ShapeError


class Arguments(Layer):
    """The arguments of Embedding, apart because one of them bears the name of a method, `weights`."""

    gathers = True
    input_dim = arg(Int(1), "Size of the vocabulary: the largest id plus 1.")
    output_dim = arg(Int(1), "Size of a vector.")
    embeddings_initializer = arg(Initializer, "Fills the vectors.", "uniform", formerly=("init",))
    embeddings_regularizer = arg(
        Regularizer, "Adds a penalty on the vectors to the loss.", None, formerly=("W_regularizer",)
    )
    embeddings_constraint = arg(
        Constraint, "Holds the vectors to a set after each step.", None, formerly=("W_constraint",)
    )
    mask_zero = arg(Bool(), "Whether the id 0 is padding that later layers skip.", False)
    weights = arg(  # type: ignore[assignment]
        Maybe(ListOf(ListOf(Float(), least=1), least=1)),
        "The vectors to start from: a list of `input_dim` lists.",
        None,
    )

    def __init__(self, given: Mapping[str, object], resolve: Callable[[Arg], object]) -> None:
        super().__init__(given, resolve)
        self.vectors: tuple[tuple[float, ...], ...] | None = self.__dict__.pop("weights")


@entry("layer")
class Embedding(Arguments):
    """Turns ids (whole numbers from 0 to input_dim - 1) into vectors of `output_dim` numbers that are learned.

    Takes integers of any shape: int[20] gives [20, output_dim]. With `mask_zero=true` the id 0 means padding, and a
    mask goes along with the result; its vector is an ordinary row all the same.
    Weights: embeddings [input_dim, output_dim].

    Example:
        words -> Embedding(10000, 64, mask_zero=true) -> LSTM(32)
    """

    @classmethod
    def advice(cls, argument: str) -> str | None:
        if argument == "input_length":
            return "Keras has no `input_length` any more: the length comes from the input's shape, leave it out"
        return super().advice(argument)

    def check(self) -> None:
        rows = self.vectors
        if rows is not None and (len(rows) != self.input_dim or any(len(row) != self.output_dim for row in rows)):
            sizes = sorted({len(row) for row in rows})
            raise ConfigError(
                f"`weights` has {len(rows)} vectors of {' or '.join(map(str, sizes))} numbers, and "
                f"`Embedding({self.input_dim}, {self.output_dim})` needs {self.input_dim} of {self.output_dim}",
                "weights",
                "input_dim",
                "output_dim",
            )

    def infer(self, check: Check, x: TensorType) -> TensorType:
        if x.dtype not in INTEGERS:
            raise ShapeError(
                f"`Embedding` takes ids, which are whole numbers, and gets {x}",
                code="NN0305",
                help=f"declare the input as `int{show_shape(x.features)}`; what is computed is no id: put a `Dense` "
                "where vectors of numbers come in",
            )
        return TensorType((*x.shape, self.output_dim), check.float_dtype, batched=x.batched)

    def weights(self, x: TensorType) -> list[Weight]:  # type: ignore[override]
        initializer = self.embeddings_initializer if self.vectors is None else Values(self.vectors)
        return [
            Weight(
                "embeddings",
                (self.input_dim, self.output_dim),
                initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
            )
        ]

    def result_mask(self, *masks: bool) -> bool:
        return self.mask_zero

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        table = t.module(
            code.call("nn.Embedding", self.input_dim, self.output_dim), TorchWeight("weight", "embeddings")
        )
        if t.inputs[0].dtype not in ("int32", "int64"):
            x = code.method(x, "int")
        return code.call(table, x)

    def torch_mask(self, t: TorchCall, *inputs: code.Expr) -> code.Expr | None:
        return code.binary("!=", inputs[0], 0) if self.mask_zero else None

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, weights=self._vectors())

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, weights=self._vectors())

    def _vectors(self) -> object:
        """Keras's `weights` argument: the attribute of that name is the layer's own method."""
        if self.vectors is None:
            return OMIT
        return code.call("np.array", code.lift([list(row) for row in self.vectors]))
