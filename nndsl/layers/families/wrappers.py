"""TimeDistributed: a layer for every step of a sequence.

Paths of the weights inside are Keras's, with a dot for each level: `steps.dense/kernel`, where Keras has
`steps/dense/kernel`. The layer inside bears its own `name`, else its class in snake case; the Keras program gives it
that name.
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
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.cells import CellLayer
from nndsl.layers.families.convolutional_lstm import ConvLSTM
from nndsl.layers.kinds import Of
from nndsl.layers.shapes import Check, ShapeError
from nndsl.layers.wrapping import freeze, keras_inner, mask_of_steps, own_name

# Layers that compute each element, or the last axis, by itself: they need no step of their own.
_ANY_RANK = {"Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Identity", "Rescaling", "GaussianNoise", "Dropout"}


@entry("layer")
class TimeDistributed(Layer):
    """Applies a layer to every step of a sequence, with the same weights.

    Takes [time, …]; the layer sees […] and its result gets the time axis back. A mask stays as it is. The layer may
    be a block or a layer of one's own, with one input and one output: `TimeDistributed(Tower(32))`.
    Source: keras/src/layers/rnn/time_distributed.py.

    Example:
        frames -> TimeDistributed(Conv2D(8, 3)) -> TimeDistributed(Flatten()) -> LSTM(32)
    """

    layer = arg(Of("layer"), "The layer for one step.")

    def check(self) -> None:
        self.inner: Any = self.layer
        if isinstance(self.inner, CellLayer):
            raise ConfigError(
                f"`TimeDistributed` takes a layer, not the cell `{self.inner.title()}`",
                "layer",
                help="a cell runs inside `RNN`",
            )
        own = getattr(self.inner, "block", None)  # of a block or layer of one's own
        if self.inner.arity[0] > 1 or self.inner.arity[1] == 0:
            raise ConfigError(
                f"`TimeDistributed` takes a layer of one input, and `{self.inner.title()}` takes "
                f"{'several' if self.inner.arity[0] > 1 else 'none'}",
                "layer",
                help=own and "let one value flow in, and take it apart inside: `left = x[:, :4]`",
            )
        if own is not None and self.inner.results > 1:
            raise ConfigError(
                f"`TimeDistributed` takes a layer with one result, and `{self.inner.title()}` gives "
                f"{self.inner.results}",
                "layer",
                help="put them together inside, for instance with `Concatenate()`",
            )
        if any(argument.at_call for argument in self.inner.arguments.values()):
            raise ConfigError(
                f"`TimeDistributed` cannot hold `{self.inner.title()}`, which takes more than one value at its call",
                "layer",
                help="give it the whole sequence: it works on more axes than [time, features] as well",
                code="NN0218",
            )
        self.inside = (self.inner,)
        self.uses_mask = self.inner.uses_mask
        if not self.trainable:
            freeze(self)

    @property
    def static_state(self) -> bool:
        return bool(self.inner.static_state)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        if x.rank < 3:
            raise ShapeError(
                f"`TimeDistributed` takes [time, …] with at least one axis behind the time, and gets {x}",
                code="NN0301",
                help=f"use the layer alone: `{self.inner.title()}(…)`",
            )
        self._step = self._one(x)
        if self._step.mask and self._step.mask_rank < 2 and self.inner.uses_mask:
            raise mask_of_steps(self.inner, "layer")
        self.inner.path = f"{self.path}.{own_name(self.inner)}"
        try:
            if isinstance(self.inner, ConvLSTM):
                self.inner.need_channels_last("TimeDistributed")
            result = self.inner.infer(check, self._step)
            self.inner.weights(self._step)
        except ShapeError as error:
            error.argument = "layer"
            raise
        if isinstance(result, tuple):
            raise ShapeError(
                f"`TimeDistributed` takes a layer with one result, and `{self.inner.title()}` gives {len(result)}",
                argument="layer",
                code="NN0215",
                help="leave `return_state` out",
            )
        if self.penalises_activity and (not isinstance(x.shape[1], int) or self._steps_matter()):
            raise ShapeError(
                f"`TimeDistributed` cannot hold `{self.inner.title()}` around a layer with an activity regularizer "
                "where the steps go one by one or their number is not known",
                code="NN0218",
                argument="layer",
                help="leave it out, or let `ActivityRegularization(l2=…)` follow",
            )
        self._result: TensorType = result
        self.uses_mask = self.inner.uses_mask
        return TensorType((x.shape[0], x.shape[1], *result.shape[1:]), result.dtype, mask=x.mask)

    def _one(self, x: TensorType) -> TensorType:
        mask = x.mask and bool(self.inner.uses_mask or self.inner.takes_mask)
        return TensorType((x.shape[0], *x.shape[2:]), x.dtype, mask=mask, mask_rank=max(x.mask_rank - 1, 1))

    def children(self) -> Sequence[tuple[str, Layer, tuple[TensorType, ...]]]:
        return [(own_name(self.inner), self.inner, (self._step,))]

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        each: Dim = self.inner.multiply_adds((self._step,), (self._result,))
        return each * inputs[0].shape[1]

    # -------------------------------------------------------------------------------------------- in torch

    def _any_rank(self) -> bool:
        return self.inner.title() in _ANY_RANK and getattr(self.inner, "noise_shape", None) is None

    def _steps_matter(self) -> bool:
        """Whether the steps of a sequence must not be taken together as one batch: the layer keeps something from
        call to call (moving statistics, a state), or draws one random mask for a whole batch."""
        return _steps_matter(self.inner, (self._step,))

    def torch(self, t: TorchCall, *inputs: code.Expr) -> Code:
        x = inputs[0]
        self._step = self._one(t.inputs[0])
        mask = t.masks[0] if t.masks and self.inner.uses_mask else None
        if self._any_rank():
            call = t.child(own_name(self.inner), self.inner, t.inputs, t.results)
            call.names = t.names
            found: Code = self.inner.torch(call, x)
            return found
        if not isinstance(x, code.Name):
            x = t.let(x, "steps")
        if self._steps_matter():
            return self._loop(t, x, mask)
        sizes: code.Expr = code.index(code.Attr(x, "shape"), code.Slice(None, code.Literal(2)))
        if x.id == t.names[0]:
            sizes = t.let(sizes, "steps")
        flat_mask = None if mask is None else code.method(mask, "flatten", 0, 1)
        penalised: list[tuple[Any, code.Expr]] = []
        value = self._inner(t, code.method(x, "flatten", 0, 1), flat_mask, penalised)
        for regularizer, given in penalised:  # each step is a call, whose penalty is for a sample
            t.penalise(regularizer, t.let(code.call("torch.unflatten", given, 0, sizes), "activity"))
        return code.call("torch.unflatten", value, 0, sizes)

    @property
    def penalises_activity(self) -> bool:
        """Whether a layer within the one inside adds a penalty; of that one itself Keras 3.15 drops it."""
        return bool(self.inner.penalises_activity) and "activity_regularizer" not in self.inner.arguments

    def _inner(
        self, t: TorchCall, x: code.Expr, mask: code.Expr | None, penalised: list[tuple[Any, code.Expr]] | None = None
    ) -> code.Expr:
        """The layer on a batch of steps, moved to the order of axes that its torch code works in and back."""
        call = t.child(own_name(self.inner), self.inner, (self._step,), (self._result,), (mask,))
        moves = self.inner.layout == "channels" and self.inner.data_format != "channels_first" and self._step.rank > 2
        if moves:
            call.first = True
            x = code.method(x, "movedim", -1, 1)
        value: Any = self.inner.torch(call, x)
        if penalised is not None:
            penalised += call.penalised
        if moves:
            value = t.let(value, "image")
        back = moves and self._result.rank == self._step.rank
        return code.method(value, "movedim", 1, -1) if back else value

    def _loop(self, t: TorchCall, x: code.Expr, mask: code.Expr | None) -> code.Expr:
        step = code.Name(t.scope.variable("step"))
        outer, t.scope.forward = t.scope.forward, []
        target: code.Expr = step
        iterable: code.Expr = code.method(x, "unbind", 1)
        step_mask = None
        if mask is not None:
            step_mask = code.Name(t.scope.variable("step_mask"))
            target = code.Tuple((step, step_mask))
            iterable = code.call("zip", iterable, code.method(mask, "unbind", 1), strict=True)
        value = self._inner(t, step, step_mask)
        body, t.scope.forward = t.scope.forward, outer
        if not body:
            return code.call("torch.stack", code.Comprehension(value, target, iterable), dim=1)
        results = code.Name(t.scope.variable("results"))
        body.append(code.Do(code.method(results, "append", value)))
        t.scope.forward += [code.Assign((results,), code.List(())), code.For(target, iterable, tuple(body))]
        return code.call("torch.stack", results, dim=1)

    # -------------------------------------------------------------------------------------------- in Keras

    def _changes(self, k: KerasCall) -> dict[str, object]:
        if k.variable is not None:
            return {}  # the layer is made already
        return {"layer": keras_inner(k, own_name(self.inner), self.inner, (self._one(k.inputs[0]),))}

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, **self._changes(k))

    def keras(self, k: KerasCall, *inputs: code.Expr) -> Code:
        spatial = self.inner.layout in ("channels", "last") and self.inner.data_format == "channels_first"
        rank = k.inputs[0].rank
        inputs = (self.inner.keras_input(k, inputs[0]), *inputs[1:])
        if not spatial or rank < 4:
            return k.call(self, *inputs, **self._changes(k))
        last = code.call(code.call("layers.Permute", (1, *range(3, rank), 2)), inputs[0])
        result = k.call(self, last, **self._changes(k))
        if self._result.rank < self._step.rank:
            return result
        return code.call(code.call("layers.Permute", (1, rank - 1, *range(2, rank - 1))), result)


def _steps_matter(layer: Layer, types: tuple[TensorType, ...]) -> bool:
    noise = getattr(layer, "noise_shape", None)
    trains = layer.trainable and layer.title() != "Normalization"  # whose statistics come from `adapt` alone
    kept = trains and any(not weight.trainable for weight in layer.weights(*types))
    return (
        kept
        or layer.mixes_samples
        or layer.static_state
        or bool(noise and noise[0] == 1)
        or any(_steps_matter(inner, inputs) for _, inner, inputs in layer.children())
    )
