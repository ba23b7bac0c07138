"""Categories: CategoryEncoding, Discretization."""

from __future__ import annotations

from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.types import INTEGERS, TensorType, show_shape
from nndsl.layers.base import Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import OMIT, KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.preprocessing import as_float
from nndsl.layers.kinds import Bool, Choice, Float, Int, ListOf, Maybe
from nndsl.layers.shapes import Check, ShapeError

SPARSE = "Must be false: a sparse tensor could not flow on."


def no_sparse(layer: Layer, sparse: bool) -> None:
    if sparse:
        raise ConfigError(
            f"`{layer.title()}` with `sparse=true` gives a sparse tensor, which no layer here takes",
            "sparse",
            help="leave `sparse` out",
            code="NN0218",
        )


def need_ids(x: TensorType, layer: str) -> None:
    """Demands whole numbers."""
    if x.dtype not in INTEGERS:
        raise ShapeError(
            f"`{layer}` takes ids, which are whole numbers, and gets {x}",
            code="NN0305",
            help=f"declare the input as `int{show_shape(x.features)}`; `Discretization` makes ids of floats",
        )


class Encoder(Layer):
    """Base of the layers that turn ids into rows of numbers, by `output_mode`."""

    output_mode: str

    def encoded(self, check: Check, x: TensorType, size: int) -> TensorType:
        """The type of the rows, of `size`, that ids of type `x` become."""
        mode = self.output_mode
        if mode == "one_hot":
            if x.rank > 1 and x.last == 1:
                return TensorType((*x.shape[:-1], size), check.float_dtype, batched=x.batched)
            if x.rank > 1:
                message = (
                    f"`{self.title()}` makes one axis of the last one where that has a size of 1, which {x} may have"
                )
                check.at_least(x.last, 2, ShapeError(message, argument="output_mode"))
            return TensorType((*x.shape, size), check.float_dtype, batched=x.batched)
        if x.rank != 2:
            raise ShapeError(
                f"`{self.title()}` with `output_mode={mode}` takes [ids] after the batch axis, and gets {x}",
                code="NN0301",
                argument="output_mode",
                help="`output_mode=one_hot` takes any shape; `Flatten()` before it makes one axis of several"
                if x.rank > 2
                else "one id for each sample is declared as `int[1]`, or take `output_mode=one_hot`",
            )
        return TensorType((x.shape[0], size), check.float_dtype, batched=x.batched)

    def encode(
        self, t: TorchCall, ids: code.Expr, size: int, weights: code.Expr | None = None, factors: Any = None
    ) -> code.Expr:
        """The rows of `ids`; of counts, each id counts as much as `weights` say, and each sum is multiplied by
        `factors`."""
        short = {"float32": "float", "float64": "double", "float16": "half", "bfloat16": "bfloat16"}[t.float_dtype]
        x = t.inputs[0]
        if self.output_mode == "one_hot" and x.rank > 1 and x.last == 1:
            ids = code.method(ids, "squeeze", -1)
        rows: code.Expr = code.call(t.helper("one_hot"), ids, size)
        if self.output_mode == "one_hot":
            return code.method(rows, short)
        if self.output_mode == "multi_hot":
            return code.method(code.method(rows, "any", 1), short)
        if weights is not None:
            return code.method(code.binary("*", rows, code.method(weights, "unsqueeze", -1)), "sum", 1)
        counts = code.method(code.method(rows, "sum", 1), short)
        return counts if factors is None else code.binary("*", counts, factors)


@entry("layer")
class CategoryEncoding(Encoder):
    """Turns ids into rows of numbers: a 1 for each id (`one_hot`), a 1 wherever one of several ids is (`multi_hot`), or
    how often each is there (`count`).

    `one_hot` takes ids of any shape and adds an axis of `num_tokens`, or takes the place of a last axis of 1. The
    others take [ids] and give [`num_tokens`]. Ids are less than `num_tokens`, from 0 on; larger ones count as nothing.
    `count_weights=` is a value of the model, of the shape of the ids: how much each counts (TensorFlow has no gradient
    of it).

    Example:
        ids -> CategoryEncoding(5, output_mode=count) -> Dense(4)
    """

    tensor_args: ClassVar[dict[str, str]] = {"count_weights": "With `count`: how much each id counts, float[ids]."}
    num_tokens = arg(Maybe(Int(1)), "How many different ids there are.", None)
    output_mode = arg(Choice("multi_hot", "one_hot", "count"), "What the rows hold.", "multi_hot")
    sparse = arg(Bool(), SPARSE, False)

    def check(self) -> None:
        no_sparse(self, self.sparse)
        if self.num_tokens is None:
            raise ConfigError(
                "`CategoryEncoding` needs `num_tokens`, the number of different ids",
                "num_tokens",
                help="write `CategoryEncoding(10)`; `IntegerLookup(vocabulary=[…])` takes ids with gaps between them",
                code="NN0204",
            )

    def infer(self, check: Check, x: TensorType, **tensors: Any) -> TensorType:
        need_ids(x, self.title())
        weights = tensors.get("count_weights")
        if weights is not None:
            self._check_weights(check, x, weights)
        return self.encoded(check, x, self.num_tokens or 1)

    def _check_weights(self, check: Check, x: TensorType, weights: TensorType) -> None:
        if self.output_mode != "count":
            raise ShapeError(
                "`count_weights` is for `output_mode=count`", argument="count_weights", help="write `output_mode=count`"
            )
        message = f"`count_weights` is {weights}, and the ids are {x}: each id has a weight of its own"
        if weights.rank != x.rank or not weights.is_float:
            raise ShapeError(message, argument="count_weights", help=f"it must be `float{show_shape(x.features)}`")
        for ours, theirs in zip(x.shape, weights.shape, strict=True):
            check.equal(ours, theirs, ShapeError(message, argument="count_weights"))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return self.encode(t, x, self.num_tokens or 1, t.tensors.get("count_weights"))

    def keras_input(self, k: KerasCall, x: code.Expr) -> code.Expr:
        # TensorFlow counts int32 and int64 only.
        return x if k.inputs[0].dtype in ("int32", "int64") else code.call("keras.ops.cast", x, "int32")

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, self.keras_input(k, x))


@entry("layer")
class Discretization(Encoder):
    """Tells which range each number lies in: its id (`int`), or a row with a 1 there (see `CategoryEncoding`).

    With the boundaries `[0, 1, 2]` there are four ranges: below 0, from 0 to below 1, from 1 to below 2, and from 2 on.
    `int` takes numbers of any kind and shape and gives ids of the same shape, int32; `one_hot` adds an axis, or takes
    the place of a last axis of 1; `multi_hot` and `count` take [numbers].

    Example:
        x -> Discretization([-1, 0, 1], output_mode=one_hot) -> Flatten() -> Dense(4)
    """

    bin_boundaries = arg(Maybe(ListOf(Float(), least=1)), "The boundaries between ranges, in order.", None)
    num_bins = arg(Maybe(Int(0)), "Must be none: it asks Keras to look for boundaries in data.", None)
    epsilon = arg(Float(), "Without effect where boundaries are given.", 0.01)
    output_mode = arg(Choice("int", "one_hot", "multi_hot", "count"), "What comes out.", "int")
    sparse = arg(Bool(), SPARSE, False)

    def check(self) -> None:
        no_sparse(self, self.sparse)
        if self.num_bins is not None:
            raise ConfigError(
                "`num_bins` lets Keras look for boundaries in data, which a network does not have when it is made",
                "num_bins",
                help="give the boundaries: `Discretization([-1, 0, 1])`",
                code="NN0218",
            )
        if self.bin_boundaries is None:
            raise ConfigError(
                "`Discretization` needs the boundaries between ranges",
                help="write `Discretization([-1, 0, 1])`",
                code="NN0204",
            )
        if any(a > b for a, b in zip(self.bin_boundaries, self.bin_boundaries[1:], strict=False)):
            ordered = ", ".join(f"{value:g}" for value in sorted(self.bin_boundaries)[:8])
            raise ConfigError(
                "the boundaries are not in order",
                "bin_boundaries",
                help=f"begin with the least: `[{ordered}{', …' if len(self.bin_boundaries) > 8 else ''}]`",
                code="NN0206",
            )

    @property
    def _size(self) -> int:
        return len(self.bin_boundaries or ()) + 1

    def infer(self, check: Check, x: TensorType) -> TensorType:
        if self.output_mode == "int":
            return TensorType(x.shape, "int32", batched=x.batched)
        return self.encoded(check, x, self._size)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        numbers = [t.rounded(value) for value in self.bin_boundaries or ()]
        exact = {} if t.float_dtype == "float32" else {"dtype": code.dotted(f"torch.{t.float_dtype}")}
        boundaries = t.buffer("boundaries", code.call("torch.tensor", numbers, **exact))
        options = {"out_int32": True} if self.output_mode == "int" else {}
        ids = code.call("torch.bucketize", as_float(t, x), boundaries, right=True, **options)
        return ids if self.output_mode == "int" else self.encode(t, t.step(ids, "ids"), self._size)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, trainable=OMIT)  # Keras's has no such argument

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, trainable=OMIT)
