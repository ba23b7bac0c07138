"""What attention layers of several heads share (families/multi_head_attention.py, families/grouped_attention.py): their
arguments, their projections, their masks, and how torch runs them.

Keras (keras/src/layers/attention/) takes one of two ways. Without dropout and without the scores it goes through
`ops.dot_product_attention`, where a query that is masked everywhere sees the mean of all values; else through a masked
softmax, where such a query sees nothing.
"""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.dims import Dim, product
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.attention import attention_mask, check_attention_mask, masks_of, masks_supported
from nndsl.layers.base import Code, Layer, Weight
from nndsl.layers.emit import SELF, Step, TorchCall, TorchWeight
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg
from nndsl.layers.kinds import Bool, Constraint, Float, Initializer, Int, Maybe, Regularizer
from nndsl.layers.merging import same_batch, same_dtype, shapes_of
from nndsl.layers.shapes import Check, ShapeError, loses_bias, need_float, static


class Projections(Layer):
    dropout = arg(Float(0, 1, below=True), "The share of the scores that is dropped while training.", 0.0)
    use_bias = arg(Bool(), "Whether the projections have biases.", True)


class Options(Layer):
    sliding_window = arg(Maybe(Int(1)), "Queries look at steps less than this far away; `none` for no limit.", None)
    flash_attention = arg(
        Maybe(Bool()), "Keras's choice of a kernel, not `true`; torch takes the fastest that there is.", None
    )
    kernel_initializer = arg(Initializer, "Fills the kernels.", "glorot_uniform")
    bias_initializer = arg(Initializer, "Fills the biases.", "zeros")
    kernel_regularizer = arg(Regularizer, "Adds a penalty on each kernel to the loss.", None)
    bias_regularizer = arg(Regularizer, "Adds a penalty on each bias to the loss.", None)
    activity_regularizer = arg(Regularizer, "Adds a penalty on what each projection gives to the loss.", None)
    kernel_constraint = arg(Constraint, "Holds the kernels to a set after each step.", None)
    bias_constraint = arg(Constraint, "Holds the biases to a set after each step.", None)
    use_gate = arg(Bool(), "Whether a gate, computed from the query, multiplies what the heads give.", False)
    seed = arg(Maybe(Int(0)), "Starts a random stream of the layer's own for the dropout.", None)
    return_attention_scores = arg(Bool(), "Whether the scores are returned too.", False, at_call=True)
    use_causal_mask = arg(Bool(), "Whether a query sees values up to its own step only.", False, at_call=True)


class Heads(Options, Projections):
    """Base of the attention layers of several heads. Subclasses say how many and how large they are."""

    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    tensor_args: ClassVar[dict[str, str]] = {
        "attention_mask": "Where a query may look: bool[query steps, value steps]."
    }
    uses_mask = True

    # ------------------------------------------------------------------------------------------ the heads

    @property
    def heads(self) -> tuple[int, int]:
        """The number of heads of the query, and of key and value."""
        raise NotImplementedError

    @property
    def sizes(self) -> tuple[int, int]:
        """The size of a head's queries and keys, and of its values."""
        raise NotImplementedError

    def axes(self, x: TensorType) -> tuple[int, ...]:
        """The axes that are attended to, in order."""
        return tuple(range(1, x.rank - 1))

    def out(self, query: TensorType) -> tuple[int, ...]:
        """The last axes of the result."""
        return (static(query.last, "the kernels", query),)

    def constructor(self, t: TorchCall, features: int, options: dict[str, object], simple: bool) -> code.Call:
        """The call of the helper class, from the features of the query and what else is not usual; where nothing is,
        and it is called in the `simple` way only, a small class may do."""
        raise NotImplementedError

    def check(self) -> None:
        if self.flash_attention:
            raise ConfigError(
                "TensorFlow has no flash attention, so Keras would refuse this",
                "flash_attention",
                help="leave `flash_attention` out; torch takes its fastest kernel by itself",
                code="NN0218",
            )
        if self.activity_regularizer is not None and self.activity_regularizer.joins:
            raise ConfigError(
                f"`{self.activity_regularizer.title()}` takes matrices, and the projections give more axes",
                "activity_regularizer",
                help="take `L1`, `L2` or `L1L2`",
            )

    # ------------------------------------------------------------------------------------------------ types

    def infer(self, check: Check, *inputs: TensorType, **tensors: Any) -> tuple[TensorType, ...] | TensorType:
        query, value, _ = roles(inputs)
        for position, x in enumerate(inputs):
            need_float(x, self.title(), input=position)
            if x.rank < 3:
                raise ShapeError(
                    f"`{self.title()}` takes [steps, features] after the batch axis, and gets {x}",
                    code="NN0301",
                    inputs=(position,),
                    help="it attends to the steps of a sequence; `Reshape` can make an axis of steps",
                )
            static(x.last, f"the kernels of `{self.title()}`", x)
        same_dtype(inputs, self.title())
        batch = same_batch(check, inputs, self.title())
        self._agree(check, inputs, self.axes(query))
        self._need_biases_that_keras_adds(*inputs)
        masks_supported(self.title(), inputs)
        if "attention_mask" in tensors:
            check_attention_mask(check, self.title(), tensors["attention_mask"], query, value)
        result = TensorType((batch, *query.shape[1:-1], *self.out(query)), query.dtype)
        if not self.return_attention_scores:
            return result
        return result, TensorType((batch, self.heads[0], query.shape[1], value.shape[1]), query.dtype)

    def _agree(self, check: Check, inputs: tuple[TensorType, ...], axes: tuple[int, ...]) -> None:
        """Demands of query and value one size on the axes that are not attended to, of value and key on all."""
        query, value, key = roles(inputs)
        shown = f"`{self.title()}` gets {shapes_of(inputs)}"
        if len({x.rank for x in inputs}) > 1:
            raise ShapeError(
                f"{shown}, and takes values with one number of axes",
                code="NN0301",
                inputs=tuple(range(len(inputs))),
                help="bring them to one rank with `Reshape`",
            )
        for axis in range(1, query.rank - 1):
            if axis not in axes:
                error = ShapeError(
                    f"{shown}: query and value differ on axis {axis}, which is not attended to",
                    inputs=(0, len(inputs) > 1),
                    help="`attention_axes` names the axes that may differ",
                )
                check.equal(query.shape[axis], value.shape[axis], error)
            error = ShapeError(
                f"{shown}: value and key differ on axis {axis}",
                inputs=(1, 2),
                help="there is one key for each value; the order is `(query, value, key)`",
            )
            check.equal(value.shape[axis], key.shape[axis], error)

    def _need_biases_that_keras_adds(self, *inputs: TensorType) -> None:
        query, value, key = roles(inputs)
        steps = {"key": key.shape, "value": value.shape}
        for weight in self.weights(*inputs):
            role, _, kind = weight.name.rpartition("_")
            if kind == "bias" and loses_bias((*steps.get(role, query.shape)[:-1], *weight.shape), weight.shape):
                raise ShapeError(
                    f"Keras 3.15 cannot add the bias {show_shape(weight.shape)} to `{role}` of `{self.title()}`: with "
                    "a size of 1 behind the heads it may take the steps for them",
                    code="NN0218",
                    help="give the heads a size of 2 or more, or leave out the biases: `use_bias=false`",
                )

    @property
    def result_regularizer(self) -> Any:
        """None: the penalty goes over the projections, of which the result is one."""
        return None

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]

    def torch_mask(self, t: TorchCall, *inputs: code.Expr) -> code.Expr | None:
        return t.masks[0]

    def weights(self, *inputs: TensorType, **tensors: Any) -> list[Weight]:
        query, value, key = (static(x.last, "the kernels", x) for x in roles(inputs))
        (heads, shared), (size, value_size), out = self.heads, self.sizes, self.out(inputs[0])
        shapes = {"query": (query, heads, size), "key": (key, shared, size)}
        if self.use_gate:
            shapes["gate"] = (query, heads, value_size)
        shapes["value"] = (value, shared, value_size)
        found = [weight for name, shape in shapes.items() for weight in self._projection(name, shape, shape[1:])]
        return found + self._projection("attention_output", (heads, value_size, *out), out)

    def _projection(self, name: str, kernel: tuple[int, ...], bias: tuple[int, ...]) -> list[Weight]:
        weights = [
            Weight(
                f"{name}_kernel",
                kernel,
                self.kernel_initializer,
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
                input_axes=(0, 1) if name == "attention_output" else (0,),
            ),
            Weight(
                f"{name}_bias",
                bias,
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            ),
        ]
        return weights if self.use_bias else weights[:1]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        query, value, key = roles(inputs)
        (heads, shared), (size, value_size) = self.heads, self.sizes
        steps = product(query.shape[1:-1])
        looks = steps * product(value.shape[axis] for axis in self.axes(value))
        projected = product(query.features) * heads * (size + value_size * self.use_gate)
        projected += product(key.features) * shared * size + product(value.features) * shared * value_size
        return projected + looks * heads * (size + value_size) + steps * heads * value_size * prod(self.out(query))

    # -------------------------------------------------------------------------------------------- in torch

    def torch(self, t: TorchCall, *inputs: code.Expr) -> Code:
        return self.attend(t, named(t, inputs), t.names[0])

    def attend(self, t: TorchCall, values: list[code.Name], name: str, batch: code.Name | None = None) -> Code:
        """The call on values of [batch, steps, features]; its result is `name` where it takes a statement. `batch` has
        the batch axis of the file, where that of the values has taken in others."""
        batch = batch or values[0]
        given = values if len(values) > 1 else values * 2
        seeded = self.dropout > 0 and self.seed is not None
        limited = bool(t.tensors or self.sliding_window or masks_of(t))
        plain = not (limited or self.return_attention_scores or seeded)
        module = self.module(t, plain=plain and len(values) < 3)
        if plain:
            causal = {"causal": True} if self.use_causal_mask else {}
            result: code.Expr = code.call(module, *given, **causal)
            if self.penalises_activity:
                t.scope.forward.append(code.Assign((code.Name(name),), result))
                self._penalise(t, module, batch)
                return code.Name(name)
            return result
        mask = attention_mask(t, given, self.use_causal_mask, self.sliding_window)
        options: dict[str, object] = {} if mask is None else {"mask": t.let(mask, "allowed")}
        if limited and (self.dropout > 0 or self.return_attention_scores or t.inputs[0].rank > 3):
            options["zeros"] = True
        if seeded:
            dropout = code.call(t.helper("SeededDropout"), self.dropout, seed=self.seed)
            options["drop"] = t.module(dropout, name="dropout")
        call = code.call(t.helper("attend"), module, *given, **options)
        results = code.Name(name), code.Name(t.names[1] if self.return_attention_scores else "_")
        t.scope.forward.append(code.Assign(results, call))
        self._penalise(t, module, batch)
        return results if self.return_attention_scores else results[0]

    def _penalise(self, t: TorchCall, module: code.Expr, batch: code.Name) -> None:
        """Adds the penalty on what the projections have given in the call just written."""
        if self.activity_regularizer is not None:
            given = code.call(t.helper("projection_results"), module, code.call("len", batch))
            t.penalise(self.activity_regularizer, t.let(given, "projections"))

    def module(self, t: TorchCall, *, plain: bool) -> code.Expr:
        """`self.<attribute>`; a call that is `plain` gives two values and asks for the result alone."""
        query, value, key = (static(x.last, "the kernels", x) for x in roles(t.inputs))
        options: dict[str, object] = {}
        if value != query:
            options["value_features"] = value
        if key != value:
            options["key_features"] = key
        if prod(self.out(t.inputs[0])) != query:
            options["out_features"] = prod(self.out(t.inputs[0]))
        if not self.use_bias:
            options["bias"] = False
        if self.dropout:
            options["dropout"] = self.dropout
        weights = [_in_torch(weight) for weight in self.weights(*t.inputs)]
        usual = not {"kernel_initializer", "bias_initializer"} & set(self.given)
        known = t.own() in t.scope.modules  # a shared layer, of which this call may need more than the first
        if self.penalises_activity and not known:
            t.scope.after.append(code.Do(code.call(t.helper("keep_projections"), code.Attr(SELF, t.own()))))
        constructor = self.constructor(t, query, options, plain and not known and not set(options) - {"dropout"})
        if known and not plain:
            t.scope.modules[t.own()] = constructor
        return t.module(constructor, *weights, filled=usual)

    # -------------------------------------------------------------------------------------------- in Keras

    def keras(self, k: KerasCall, *inputs: code.Expr) -> Code:
        return k.spread(self, *(inputs if len(inputs) > 1 else inputs * 2))

    def keras_spelled(self, k: KerasCall, built: code.Expr) -> code.Expr:
        """Keras 3.15 makes the projections after it has read `trainable`, and trains them: a class of its own sees to
        them."""
        if self.trainable or not isinstance(built, code.Call):
            return built
        options = tuple((name, value) for name, value in built.kwargs if name != "trainable")
        return code.Call(k.helper(f"Frozen{self.title()}"), built.args, options)


def named(t: TorchCall, inputs: tuple[code.Expr, ...]) -> list[code.Name]:
    """The inputs as variables, since each is used more than once."""
    return [x if isinstance(x, code.Name) else t.let(x, "steps") for x in inputs]


def roles(inputs: tuple[TensorType, ...]) -> tuple[TensorType, TensorType, TensorType]:
    """(query, value, key) of the one to three values that flow in."""
    query, value = inputs[0], inputs[min(1, len(inputs) - 1)]
    return query, value, inputs[2] if len(inputs) > 2 else value


def _in_torch(weight: Weight) -> TorchWeight:
    """Where nn.Linear holds a kernel or bias whose heads have an axis of their own."""
    name, _, kind = weight.name.rpartition("_")
    place = "output" if name == "attention_output" else name
    steps: tuple[Step, ...] = ()
    if kind == "bias":
        if len(weight.shape) > 1:
            steps = (("reshape", (weight.size,)),)
        return TorchWeight(f"{place}.bias", weight.name, steps)
    cut = 2 if place == "output" else 1
    shape = prod(weight.shape[:cut]), prod(weight.shape[cut:])
    return TorchWeight(f"{place}.weight", weight.name, (("reshape", shape), ("permute", (1, 0))))
