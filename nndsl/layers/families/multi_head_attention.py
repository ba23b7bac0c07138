"""Attention: MultiHeadAttention."""

from __future__ import annotations

from functools import reduce
from typing import Any

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.base import Code, Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.heads import Heads, Options, Projections, named
from nndsl.layers.kinds import Int, ListOf, Maybe
from nndsl.layers.shapes import Check, ShapeError, resolve_axis


class Sizes(Layer):
    num_heads = arg(Int(1), "The number of heads.")
    key_dim = arg(Int(1), "Size of a head's queries and keys.")
    value_dim = arg(Maybe(Int(1)), "Size of a head's values; `none` is `key_dim`.", None)


class Axes(Layer):
    output_shape = arg(
        Maybe(ListOf(Int(1), least=1, single=True)), "Size of the result; `none` is the query's last axis.", None
    )
    attention_axes = arg(
        Maybe(ListOf(Int(), least=1, single=True)),
        "The axes that are attended to; `none` is all between batch and features.",
        None,
    )


@entry("layer")
class MultiHeadAttention(Heads, Options, Axes, Projections, Sizes):
    """Attention of several heads (Vaswani et al., 2017): each query looks at all values, by how well it matches their
    keys.

    `(query, value)` or `(query, value, key)` flow in as [steps, features]; one value alone attends to itself. Gives
    [query steps, features of the query]; with `return_attention_scores=true` the scores [num_heads, query steps, value
    steps] as well. More axes between batch and features are attended to together, or those of `attention_axes` alone
    (of which only the first can have a causal mask or a window).
    `attention_mask=m` is a value of bool[query steps, value steps], true where a query may look. Masked values are not
    looked at, and the mask of the query goes on. Where a query may look nowhere it sees the mean of all values, or
    nothing if there is a `dropout` or the scores are returned: so it is in Keras. `activity_regularizer` goes over what
    each projection gives (query, key, value, gate, output).
    Weights: query_kernel [in, num_heads, key_dim], query_bias [num_heads, key_dim], the same of key and value,
    attention_output_kernel [num_heads, value_dim, out], attention_output_bias [out].

    Example:
        x -> MultiHeadAttention(4, 32, use_causal_mask=true)
    """

    @property
    def heads(self) -> tuple[int, int]:
        return self.num_heads, self.num_heads

    @property
    def sizes(self) -> tuple[int, int]:
        return self.key_dim, self.value_dim or self.key_dim

    def out(self, query: TensorType) -> tuple[int, ...]:
        return self.output_shape or super().out(query)

    def axes(self, x: TensorType) -> tuple[int, ...]:
        """The axes that are attended to, in order."""
        if self.attention_axes is None:
            return tuple(range(1, x.rank - 1))
        axes = sorted({resolve_axis(axis, x, self.title(), argument="attention_axes") for axis in self.attention_axes})
        if len(axes) < len(self.attention_axes) or axes[0] == 0 or axes[-1] == x.rank - 1:
            raise ShapeError(
                f"`attention_axes` of `{self.title()}` names axes from 1 to {x.rank - 2}, each once",
                code="NN0308",
                argument="attention_axes",
                help="the first axis is the batch, the last one the features",
            )
        return tuple(axes)

    def infer(self, check: Check, *inputs: TensorType, **tensors: Any) -> tuple[TensorType, ...] | TensorType:
        result = super().infer(check, *inputs, **tensors)
        if inputs[0].rank > 3:
            reasons = {"return_attention_scores": "Keras 3.15 tells a wrong shape of the scores of larger values"}
            if self.axes(inputs[0]) != (1,):
                reasons["use_causal_mask"] = "Keras 3.15 always counts the steps along the first axis"
                reasons["sliding_window"] = reasons["use_causal_mask"]
            found = [(name, reason) for name, reason in reasons.items() if getattr(self, name)]
            found += [(name, "a mask is for one axis of steps") for name in tensors]
            for name, reason in found[:1]:
                raise ShapeError(
                    f"`{name}` of `{self.title()}` cannot go with {inputs[0]}: {reason}",
                    code="NN0218",
                    argument=name,
                    help="bring it to [steps, features]: `Reshape` makes one axis of steps of several",
                )
        return result

    def constructor(self, t: TorchCall, features: int, options: dict[str, object], simple: bool) -> code.Call:
        if self.value_dim not in (None, self.key_dim):
            options, simple = {"value_dim": self.value_dim, **options}, False
        usual = "MultiHeadAttention" if simple else "ProjectedAttention"
        kind = t.helper("GatedAttention" if self.use_gate else usual)
        return code.call(kind, features, self.num_heads, self.key_dim, **options)

    def torch(self, t: TorchCall, *inputs: code.Expr) -> Code:
        if t.inputs[0].rank > 3:
            return self._many_axes(t, named(t, inputs))
        result = super().torch(t, *inputs)
        return (self._shaped(result[0]), *result[1:]) if isinstance(result, tuple) else self._shaped(result)

    def _many_axes(self, t: TorchCall, values: list[code.Name]) -> code.Expr:
        """Values of more axes: those that are not attended to join the batch, the others become one axis of steps."""
        x = t.inputs[0]
        axes = self.axes(x)
        apart = [axis for axis in range(1, x.rank - 1) if axis not in axes]
        order, count = (0, *apart, *axes, x.rank - 1), 1 + len(apart)
        turned = order != tuple(range(x.rank))
        flat: list[code.Name] = []
        shape: code.Expr = code.Literal(None)
        for position, value in enumerate(values):
            value = t.let(code.method(value, "permute", *order), "turned") if turned else value
            shape = code.Attr(value, "shape") if position == 0 else shape
            steps: code.Expr = code.method(value, "flatten", 0, count - 1) if apart else value
            steps = code.method(steps, "flatten", 1, -2) if len(axes) > 1 else steps
            flat.append(t.let(steps, "steps"))
        result: Any = self.attend(t, flat, t.scope.variable("attended"), values[0])
        if len(axes) > 1:
            sizes = code.index(shape, code.Slice(code.Literal(count), code.Literal(-1)))
            result = t.let(code.method(result, "unflatten", 1, sizes), "attended")
        if apart:
            sizes = code.index(shape, code.Slice(None, code.Literal(count)))
            result = t.let(code.method(result, "unflatten", 0, sizes), "attended")
        if turned:
            back = (order.index(axis) for axis in range(x.rank))
            result = t.let(code.method(result, "permute", *back), "attended")
        return self._shaped(result)

    def _shaped(self, result: code.Expr) -> code.Expr:
        out = self.output_shape or ()
        return code.method(result, "unflatten", -1, out) if len(out) > 1 else result

    # -------------------------------------------------------------------------------------------- in Keras

    def keras(self, k: KerasCall, *inputs: code.Expr) -> Code:
        masks = k.masks(inputs)
        parts: list[code.Expr] = [k.tensors["attention_mask"]] if "attention_mask" in k.tensors else []
        for position, mask in enumerate(masks if len(masks) > 1 else masks * 2):
            if mask is not None:
                place = (code.Slice(), None) if position == 0 else (None,)
                parts.append(code.index(mask, code.Slice(), *place))
        if any(mask is not None for mask in masks):
            k.tensors["attention_mask"] = reduce(lambda left, right: code.binary("&", left, right), parts)
        return super().keras(k, *inputs)
