"""Attention: GroupQueryAttention."""

from __future__ import annotations

from typing import Any

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.base import Code, Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.heads import Heads, Options, Projections, roles
from nndsl.layers.kinds import Int
from nndsl.layers.merging import shapes_of
from nndsl.layers.shapes import Check, ShapeError, need_rank


class Sizes(Layer):
    head_dim = arg(Int(1), "Size of a head.")
    num_query_heads = arg(Int(1), "The number of heads.")
    num_key_value_heads = arg(Int(1), "The number of keys and values that they share.")


@entry("layer")
class GroupQueryAttention(Heads, Options, Projections, Sizes):
    """Attention of several heads that share keys and values in groups (Ainslie et al., 2023): with one key and value
    for all it is multi-query attention, with one for each it is `MultiHeadAttention`.

    `(query, value)` or `(query, value, key)` flow in as [steps, features]; one value alone attends to itself. Gives
    [query steps, features of the query]; with `return_attention_scores=true` the scores [num_query_heads, query steps,
    value steps] as well. Masks are those of `MultiHeadAttention`. `activity_regularizer` goes over what each projection
    gives, and over the results once more: so it is in Keras.
    Weights: query_kernel [in, num_query_heads, head_dim], key_kernel and value_kernel
    [in, num_key_value_heads, head_dim], attention_output_kernel [num_query_heads, head_dim, out], and a bias for each.

    Example:
        x -> GroupQueryAttention(32, 8, 2, use_causal_mask=true)
    """

    def check(self) -> None:
        super().check()
        if self.num_query_heads % self.num_key_value_heads:
            raise ConfigError(
                f"{self.num_query_heads} heads cannot share {self.num_key_value_heads} keys and values evenly",
                "num_query_heads",
                "num_key_value_heads",
                help="`num_query_heads` must be a multiple of `num_key_value_heads`",
            )

    @property
    def heads(self) -> tuple[int, int]:
        return self.num_query_heads, self.num_key_value_heads

    @property
    def sizes(self) -> tuple[int, int]:
        return self.head_dim, self.head_dim

    def infer(self, check: Check, *inputs: TensorType, **tensors: Any) -> tuple[TensorType, ...] | TensorType:
        for position, x in enumerate(inputs):
            need_rank(x, 3, self.title(), "[steps, features]", input=position)
        query, value, _ = roles(inputs)
        error = ShapeError(
            f"`{self.title()}` gets {shapes_of(inputs)}, and takes query and value of one size",
            inputs=(0, 1),
            help=f"bring them to one size, for instance with `Dense({query.last})`",
        )
        check.equal(query.last, value.last, error)
        return super().infer(check, *inputs, **tensors)

    def constructor(self, t: TorchCall, features: int, options: dict[str, object], simple: bool) -> code.Call:
        kind = t.helper("GatedGroupedAttention" if self.use_gate else "GroupedAttention")
        groups = self.num_key_value_heads
        return code.call(kind, features, self.num_query_heads, self.head_dim, groups=groups, **options)

    @property
    def result_regularizer(self) -> Any:
        """The result counts twice: Keras has the regularizer on the layer as well as on each projection."""
        return self.activity_regularizer

    def keras(self, k: KerasCall, *inputs: code.Expr) -> Code:
        masks = k.masks(inputs)
        for role, mask in zip(("query", "value", "key"), masks if len(masks) > 1 else masks * 2, strict=False):
            if mask is not None:
                k.tensors[f"{role}_mask"] = mask
        return super().keras(k, *inputs)
