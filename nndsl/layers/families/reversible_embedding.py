"""Embedding: ReversibleEmbedding."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.dims import Dim, product
from nndsl.ir.types import INTEGERS, TensorType, show_shape
from nndsl.layers.base import Layer, Weight
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.emit_keras import OMIT, KerasCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Bool, Constraint, Dtype, Float, Initializer, Int, Maybe, Regularizer
from nndsl.layers.shapes import Check, ShapeError, need_float


@entry("layer")
class ReversibleEmbedding(Layer):
    """An embedding that also goes the other way, as the head of a language model: with `reverse=true` it turns vectors
    of `output_dim` numbers into a score for each of the `input_dim` ids.

    Takes integers of any shape: int[20] gives [20, output_dim]; in reverse float[20, output_dim] gives [20, input_dim].
    With `mask_zero=true` the id 0 means padding, and a mask goes along with the vectors; in reverse a mask ends.
    Shared, both ways use the same vectors: `shared tokens = ReversibleEmbedding(50257, 768)`, `ids -> tokens`,
    `h -> tokens(reverse=true)`.
    Weights: embeddings [input_dim, output_dim]; with `tie_weights=false` reverse_embeddings [output_dim, input_dim].

    Example:
        states -> ReversibleEmbedding(1000, 16, reverse=true)
    """

    gathers = True
    input_dim = arg(Int(1), "Size of the vocabulary: the largest id plus 1.")
    output_dim = arg(Int(1), "Size of a vector.")
    tie_weights = arg(Bool(), "Whether both ways use the same vectors.", True)
    embeddings_initializer = arg(Initializer, "Fills the vectors, both ways.", "uniform")
    embeddings_regularizer = arg(Regularizer, "Adds a penalty on the vectors to the loss.", None)
    embeddings_constraint = arg(Constraint, "Holds the vectors to a set after each step.", None)
    mask_zero = arg(Bool(), "Whether the id 0 is padding that later layers skip.", False)
    reverse_dtype = arg(Maybe(Dtype()), "The dtype of the way back: the model's own float, or `none`.", None)
    logit_soft_cap = arg(
        Maybe(Float(0, above=True)), "Bends the scores to stay within ± this number: `cap * tanh(scores / cap)`.", None
    )
    reverse = arg(Bool(), "Whether vectors become scores, instead of ids vectors.", False, at_call=True)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        if self.reverse_dtype not in (None, "float", check.float_dtype):
            raise ShapeError(
                f"`reverse_dtype` of `{self.title()}` is the model's own float, {check.float_dtype}: with another "
                f"Keras 3.15 gives {self.reverse_dtype} and tells the layers behind that it is {check.float_dtype}",
                code="NN0218",
                argument="reverse_dtype",
                inputs=(),
                help="leave it out, and let `cast(…)` follow where the scores are to be of another type",
            )
        if not self.reverse:
            return self._vectors(check, x)
        need_float(x, self.title())
        wanted = f"`{self.title()}` in reverse takes vectors of {self.output_dim} numbers"
        if x.rank < 2:
            raise ShapeError(f"{wanted}, and gets one number", code="NN0301")
        error = ShapeError(
            f"{wanted}, and gets {show_shape(x.features)}",
            help=f"bring them to that size, for instance with `Dense({self.output_dim})`",
        )
        check.equal(x.last, self.output_dim, error)
        return x.with_last(self.input_dim)

    def _vectors(self, check: Check, x: TensorType) -> TensorType:
        if x.dtype not in INTEGERS:
            raise ShapeError(
                f"`{self.title()}` takes ids, which are whole numbers, and gets {x}",
                code="NN0305",
                help=f"declare the input as `int{show_shape(x.features)}`; the way back from vectors to scores is "
                "`reverse=true`",
            )
        return TensorType((*x.shape, self.output_dim), check.float_dtype, batched=x.batched)

    def weights(self, x: TensorType) -> list[Weight]:
        embeddings = Weight(
            "embeddings",
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        back = Weight("reverse_embeddings", (self.output_dim, self.input_dim), self.embeddings_initializer)
        return [embeddings] if self.tie_weights else [embeddings, back]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        return product(results[0].features) * self.output_dim if self.reverse else 0

    def result_mask(self, *masks: bool) -> bool:
        return self.mask_zero and not self.reverse

    def torch_mask(self, t: TorchCall, *inputs: code.Expr) -> code.Expr | None:
        return code.binary("!=", inputs[0], 0) if self.mask_zero and not self.reverse else None

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        # Both ways make the same modules, so that it does not matter which one a shared layer goes first.
        table = t.module(
            code.call("nn.Embedding", self.input_dim, self.output_dim), TorchWeight("weight", "embeddings")
        )
        back: code.Expr | None = None
        if not self.tie_weights:
            linear = code.call("nn.Linear", self.output_dim, self.input_dim, bias=False)
            weight = TorchWeight("weight", "reverse_embeddings", (("permute", (1, 0)),))
            back = t.module(linear, weight, name="reverse")
        if not self.reverse:
            if t.inputs[0].dtype not in ("int32", "int64"):
                x = code.method(x, "int")
            return code.call(table, x)
        scores = code.call("F.linear", x, code.Attr(table, "weight")) if back is None else code.call(back, x)
        if self.logit_soft_cap is None:
            return scores
        bent = code.call("torch.tanh", code.binary("/", scores, self.logit_soft_cap))
        return code.binary("*", self.logit_soft_cap, bent)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, reverse_dtype=OMIT)

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, reverse_dtype=OMIT)
