"""Attention: Attention, AdditiveAttention."""

from __future__ import annotations

from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.dims import Dim, product
from nndsl.ir.types import TensorType
from nndsl.layers.attention import masks_supported
from nndsl.layers.base import Code, Layer, Weight
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Bool, Choice, Float, Int, Maybe
from nndsl.layers.merging import same_batch, same_dtype, shapes_of
from nndsl.layers.shapes import Check, ShapeError, need_float, static

# Declared once for both layers.
dropout = arg(Float(0, 1, below=True), "The share of the scores that is dropped while training.", 0.0)
return_attention_scores = arg(Bool(), "Whether the scores are returned too.", False, at_call=True)
use_causal_mask = arg(Bool(), "Whether a query sees values up to its own step only.", False, at_call=True)


class Scored(Layer):
    """Base of the layers that mix values by scores of queries and keys. Subclasses say how the scores are made."""

    arity: ClassVar[tuple[int, int | None]] = (2, 3)
    uses_mask = True
    use_scale: bool
    dropout: float
    seed: int | None = None
    return_attention_scores: bool
    use_causal_mask: bool

    def infer(self, check: Check, *inputs: TensorType) -> tuple[TensorType, ...] | TensorType:
        query, value, key = inputs[0], inputs[1], inputs[-1]
        shown = f"`{self.title()}` gets {shapes_of(inputs)}"
        for position, x in enumerate(inputs):
            need_float(x, self.title(), input=position)
            if x.rank < 3 or x.rank != query.rank:
                raise ShapeError(
                    f"{shown}, and takes [steps, features] after the batch axis",
                    code="NN0301",
                    inputs=(position,),
                    help="for one query of each sample `Reshape` gives it an axis of one step",
                )
        same_dtype(inputs, self.title())
        masks_supported(self.title(), inputs)
        batch = same_batch(check, inputs, self.title())
        features = ShapeError(
            f"{shown}: query and key have {query.last} and {key.last} features",
            inputs=(0, len(inputs) - 1),
            help=f"bring them to one size, for instance with `Dense({query.last})`",
        )
        check.equal(query.last, key.last, features)
        for axis in range(1, query.rank - 1):
            for other, pair in ((value, (0, 1)), (key, (1, len(inputs) - 1))):
                left = (query, value)[pair[0]]
                if left is not query or axis < query.rank - 2:
                    error = ShapeError(f"{shown}: they differ on axis {axis}", inputs=pair)
                    check.equal(left.shape[axis], other.shape[axis], error)
        result = TensorType((batch, *query.shape[1:-1], value.last), query.dtype)
        if not self.return_attention_scores:
            return result
        return result, TensorType((batch, *query.shape[1:-1], key.shape[-2]), query.dtype)

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]

    def torch_mask(self, t: TorchCall, *inputs: code.Expr) -> code.Expr | None:
        return t.masks[0]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        query, value = inputs[0], inputs[1]
        return product(query.shape[1:-1]) * value.shape[-2] * (query.last + value.last)

    def fused(self, t: TorchCall, query: code.Expr) -> code.Expr | None:
        """The query as torch's own attention takes it, where that computes the same."""
        return None

    def scores(self, t: TorchCall, query: code.Expr, key: code.Expr) -> code.Expr:
        """How well each query matches each key, before the softmax."""
        raise NotImplementedError

    def torch(self, t: TorchCall, *inputs: code.Expr) -> Code:
        query, value, key = inputs[0], inputs[1], inputs[-1]
        seeded = self.dropout > 0 and self.seed is not None
        plain = not (self.return_attention_scores or seeded or any(mask is not None for mask in t.masks[:2]))
        ready = self.fused(t, query) if plain else None
        if ready is not None:
            options: dict[str, object] = {}
            if self.dropout:
                options["dropout_p"] = code.IfElse(code.Literal(self.dropout), t.training, code.Literal(0.0))
            if self.use_causal_mask:
                options["is_causal"] = True
            return code.call("F.scaled_dot_product_attention", ready, key, value, **options, scale=1.0)
        scores = t.let(self.scores(t, query, key), "scores")
        limit: code.Expr | None = None
        if t.masks[1] is not None:
            limit = code.index(t.masks[1], code.Slice(), None)
        if self.use_causal_mask:
            causal = code.call(t.helper("causal_mask"), query, key)
            limit = causal if limit is None else code.binary("&", limit, causal)
        if limit is not None:
            far: code.Expr = code.Literal(1e9)
            if t.scope.float16:  # where numbers end at 65504
                largest = code.Attr(code.call("torch.finfo", code.Attr(scores, "dtype")), "max")
                far = code.call("min", far, largest)
            chosen = code.call("torch.where", limit, scores, code.binary("-", scores, far))
            t.scope.forward.append(code.Assign((scores,), chosen))
        weights: code.Expr = code.call("F.softmax", scores, dim=-1)
        if seeded:
            module = code.call(t.helper("SeededDropout"), self.dropout, seed=self.seed)
            weights = code.call(t.module(module, name="dropout"), weights)
        elif self.dropout:
            weights = code.call("F.dropout", weights, self.dropout, t.training)
        if self.return_attention_scores:
            t.scope.forward.append(code.Assign((scores,), weights))
            weights = scores
        result: code.Expr = code.binary("@", weights, value)
        if t.masks[0] is not None:
            result = code.call("torch.where", code.index(t.masks[0], code.ELLIPSIS, None), result, 0.0)
        return (result, weights) if self.return_attention_scores else result

    def keras(self, k: KerasCall, *inputs: code.Expr) -> Code:
        masks = k.masks(inputs)
        if any(mask is not None for mask in masks):
            k.tensors["mask"] = masks
        return k.call(self, *inputs)


@entry("layer")
class Attention(Scored):
    """Attention by dot products (Luong et al., 2015): each query gets the mean of the values, weighed by how well their
    keys match it.

    `(query, value)` or `(query, value, key)` flow in as [steps, features]; the value is the key where none is given.
    Gives [query steps, features of the value]; with `return_attention_scores=true` the scores [query steps, value
    steps] as well. The scores are not divided by the root of the size. Masked values are not looked at, masked queries
    give zeros, and the mask of the query goes on.
    Weights: scale [] with `use_scale`, concat_score_weight [] with `score_mode=concat`.

    Example:
        (query, value) -> Attention(use_scale=true)
    """

    use_scale = arg(Bool(), "Whether a factor of the scores is learned.", False)
    score_mode = arg(Choice("dot", "concat"), "The product of query and key, or the sum of tanh of their sums.", "dot")
    dropout = dropout
    seed = arg(Maybe(Int(0)), "Starts a random stream of the layer's own for the dropout.", None)
    return_attention_scores = return_attention_scores
    use_causal_mask = use_causal_mask

    def weights(self, *inputs: TensorType, **tensors: Any) -> list[Weight]:
        names = ["scale"] * self.use_scale + ["concat_score_weight"] * (self.score_mode == "concat")
        return [Weight(name, (), make("initializer", "ones")) for name in names]

    def fused(self, t: TorchCall, query: code.Expr) -> code.Expr | None:
        if self.score_mode == "concat":
            return None
        return code.binary("*", query, t.parameter("scale")) if self.use_scale else query

    def scores(self, t: TorchCall, query: code.Expr, key: code.Expr) -> code.Expr:
        if self.score_mode == "dot":
            scores: code.Expr = code.binary("@", query, code.Attr(key, "mT"))
            return code.binary("*", t.parameter("scale"), scores) if self.use_scale else scores
        sums = _sums(query, key)
        if self.use_scale:
            sums = code.binary("*", t.parameter("scale"), sums)
        total = code.method(code.call("torch.tanh", sums), "sum", -1)
        return code.binary("*", t.parameter("concat_score_weight"), total)


@entry("layer")
class AdditiveAttention(Scored):
    """Attention by sums (Bahdanau et al., 2015): a query and a key match by `sum(scale * tanh(query + key))`.

    `(query, value)` or `(query, value, key)` flow in as [steps, features]; the value is the key where none is given.
    Gives [query steps, features of the value]; with `return_attention_scores=true` the scores [query steps, value
    steps] as well. Masked values are not looked at, masked queries give zeros, and the mask of the query goes on.
    Weights: scale [features of the query] with `use_scale`.

    Example:
        (query, value) -> AdditiveAttention()
    """

    use_scale = arg(Bool(), "Whether factors of the sum are learned, one for each feature.", True)
    dropout = dropout
    return_attention_scores = return_attention_scores
    use_causal_mask = use_causal_mask

    def weights(self, *inputs: TensorType, **tensors: Any) -> list[Weight]:
        if not self.use_scale:
            return []
        size = static(inputs[0].last, "the scale of `AdditiveAttention`", inputs[0])
        return [Weight("scale", (size,), make("initializer", "glorot_uniform"))]

    def scores(self, t: TorchCall, query: code.Expr, key: code.Expr) -> code.Expr:
        value: code.Expr = code.call("torch.tanh", _sums(query, key))
        if self.use_scale:
            value = code.binary("*", t.parameter("scale"), value)
        return code.method(value, "sum", -1)


def _sums(query: code.Expr, key: code.Expr) -> code.Expr:
    """Each query plus each key: [batch, query steps, key steps, features]."""
    return code.binary("+", code.method(query, "unsqueeze", -2), code.method(key, "unsqueeze", -3))
