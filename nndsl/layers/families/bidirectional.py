"""Bidirectional: a recurrent layer in both directions.

Paths of the weights inside are Keras's, with a dot for each level: `bi.forward_lstm/kernel` and
`bi.backward_lstm/kernel`, where Keras has `bi/forward_lstm/lstm_cell/kernel` (see families/recurrent.py for the cell).
The layers bear Keras's names, made of the inner layer's `name` or of its class in snake case; a `backward_layer`
without a name is called `backward_` and its class. The forward layer's weights come first.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.layers.base import Code, Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.convolutional_lstm import ConvLSTM
from nndsl.layers.families.recurrent import RNN
from nndsl.layers.kinds import Choice, Maybe, Of
from nndsl.layers.recurrence import Recurrence
from nndsl.layers.sequences import INITIAL_STATE, Running, check_states, pass_mask
from nndsl.layers.shapes import Check, ShapeError, static
from nndsl.layers.wrapping import freeze, keras_inner, own_name, own_remedy


@entry("layer")
class Bidirectional(Layer):
    """Runs a recurrent layer over a sequence in both directions, and merges the two outputs.

    Takes [time, features]; gives what the layer gives, twice as wide with `merge_mode=concat`. The backward layer is a
    copy of the layer, with weights of its own, or `backward_layer`; its outputs are put back in the order of time.
    Masked steps give zeros where `return_sequences=true`. With `return_state=true` the states follow, the forward
    layer's first; `initial_state=(…)` takes them in that order. `merge_mode=none` gives both outputs.
    Source: keras/src/layers/rnn/bidirectional.py.

    Example:
        x -> Bidirectional(LSTM(32, return_sequences=true))
    """

    tensor_args = {"initial_state": INITIAL_STATE}  # noqa: RUF012 (read only)
    uses_mask = True
    layer = arg(Of("layer"), "A recurrent layer: `LSTM`, `GRU`, `SimpleRNN`, `RNN` or `ConvLSTM2D` and its like.")
    merge_mode = arg(
        Maybe(Choice("concat", "sum", "mul", "ave")), "How the two outputs become one; `none` gives both.", "concat"
    )
    backward_layer = arg(Maybe(Of("layer")), "The layer that runs backwards; by default a copy of the layer.", None)

    def check(self) -> None:
        given: Any = self.layer
        backward: Any = self.backward_layer
        for argument, value in (("layer", given), ("backward_layer", backward)):
            if value is not None and not isinstance(value, Running):
                raise ConfigError(
                    "`Bidirectional` takes a recurrent layer (`LSTM`, `GRU`, `SimpleRNN`, `RNN`), not "
                    f"`{value.title()}`",
                    argument,
                    help=own_remedy(value, "a recurrent layer"),
                )
        forward: Running = copy.deepcopy(given)
        name = own_name(given)
        self.forward_name = f"forward_{name.removeprefix('forward_')}"
        if backward is None:
            backward = copy.deepcopy(given)
            backward.go_backwards = True
            self.backward_name = f"backward_{name.removeprefix('backward_')}"
        else:
            self.backward_name = backward.name or f"backward_{own_name(backward)}"
        self._agree(forward, backward)
        self.forward, self.backward = forward, backward
        self.inside = (forward, backward)
        for layer in self.inside:
            layer.zero_output_for_mask = layer.return_sequences
        if not self.trainable:
            freeze(self)

    def _agree(self, forward: Running, backward: Running) -> None:
        explicit = self.backward_layer is not None
        places = ("layer", "backward_layer") if explicit else ("layer",)
        if forward.go_backwards == backward.go_backwards:
            help = "write `go_backwards=true` in `backward_layer`" if explicit else "leave `go_backwards` out"
            raise ConfigError("the two layers of `Bidirectional` run in the same direction", *places, help=help)
        for name in ("stateful", "return_sequences", "return_state"):
            one, other = getattr(forward, name), getattr(backward, name)
            if one != other:
                words = ("false", "true")
                raise ConfigError(
                    f"the two layers of `Bidirectional` differ in `{name}`: {words[one]} and {words[other]}",
                    *places,
                    help="give both the same",
                )
        if self.forward_name == self.backward_name:
            raise ConfigError("the two layers of `Bidirectional` have the same name", *places)

    @property
    def static_state(self) -> bool:
        return self.forward.stateful

    @property
    def penalises_activity(self) -> bool:
        return any(layer.penalises_activity for layer in self.inside)

    # ------------------------------------------------------------------------------------------------ types

    def infer(self, check: Check, x: TensorType, **tensors: Any) -> tuple[TensorType, ...] | TensorType:
        self._types = (x,)
        try:
            for layer in self.inside:
                if isinstance(layer, ConvLSTM):
                    layer.need_channels_last("Bidirectional")
            results = [layer.infer(check, x) for layer in self.inside]
        except ShapeError as error:
            error.argument = "layer"
            raise
        if "initial_state" in tensors:
            names = [f"{side}_{name}" for side, layer in self._sides() for name in layer.state_names]
            shapes = [shape for layer in self.inside for shape in layer.state_shapes(x)]
            check_states(self, check, x, tensors["initial_state"], shapes, names)
        first, second = (result if isinstance(result, tuple) else (result,) for result in results)
        states = (*first[1:], *second[1:])
        if self.merge_mode is None:
            return first[0], second[0], *states
        if self.merge_mode == "concat":
            output = first[0].with_last(first[0].last + second[0].last)
        elif first[0].last != second[0].last:
            raise ShapeError(
                f"`merge_mode={self.merge_mode}` needs outputs of one size, and they have {first[0].last} and "
                f"{second[0].last}",
                argument="merge_mode" if "merge_mode" in self.given else "backward_layer",
                help="give both layers the same `units`, or write `merge_mode=concat`",
            )
        else:
            output = first[0]
        return (output, *states) if states else output

    def _sides(self) -> tuple[tuple[str, Running], tuple[str, Running]]:
        return ("forward", self.forward), ("backward", self.backward)

    def children(self) -> Sequence[tuple[str, Layer, tuple[TensorType, ...]]]:
        return [(self.forward_name, self.forward, self._types), (self.backward_name, self.backward, self._types)]

    def result_mask(self, *masks: bool) -> bool:
        return self.forward.result_mask(*masks)

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        ahead: Dim = self.forward.multiply_adds(inputs, results)
        back: Dim = self.backward.multiply_adds(inputs, results)
        return ahead + back

    # -------------------------------------------------------------------------------------------- in torch

    def torch(self, t: TorchCall, *inputs: code.Expr) -> Code:
        given = t.tensors.get("initial_state")
        start = () if given is None else given if isinstance(given, tuple) else (given,)
        masked = bool(t.masks) and t.masks[0] is not None
        if not masked and self._can_fuse():
            first, second, states = self._fused(t, inputs[0], start)
            if self.merge_mode == "concat" and self.forward.return_sequences:
                return (first, *states) if states else first
        else:
            first, second, states = self._both(t, inputs[0], start)
        output = self._merged(first, second)
        if isinstance(output, tuple):
            return (*output, *states)
        return (output, *states) if states else output

    def _merged(self, first: code.Expr, second: code.Expr) -> Code:
        match self.merge_mode:
            case None:
                return first, second
            case "concat":
                return code.call("torch.cat", (first, second), dim=-1)
            case "mul":
                return code.binary("*", first, second)
        total = code.binary("+", first, second)
        return code.binary("/", total, 2) if self.merge_mode == "ave" else total

    def _can_fuse(self) -> bool:
        """Whether one bidirectional module of torch computes both."""
        one, other = self.forward, self.backward
        return (
            isinstance(one, Recurrence)
            and isinstance(other, Recurrence)
            and type(one) is type(other)
            and one.can_fuse()
            and other.can_fuse()
            and one.units == other.units
            and one.fused_options() == other.fused_options()
            and not (one.stateful or one.go_backwards or one.dropout or other.dropout or self.penalises_activity)
        )

    def _fused(
        self, t: TorchCall, x: code.Expr, start: tuple[code.Expr, ...]
    ) -> tuple[code.Expr, code.Expr, tuple[code.Expr, ...]]:
        layer: Any = self.forward
        size = static(t.inputs[0].last, "the kernel", t.inputs[0])
        constructor = code.call(
            layer.fused, size, layer.units, **layer.fused_options(), batch_first=True, bidirectional=True
        )  # fmt: skip
        held, frozen = [], []
        for (name, inner, types), suffix in zip(self.children(), ("_l0", "_l0_reverse"), strict=True):
            call = t.child(name, inner, types, types)
            held += [(call, weight) for weight in inner.fused_weights(suffix)]  # type: ignore[attr-defined]
            frozen += inner.frozen(suffix)  # type: ignore[attr-defined]
        first, second = layer.start(), self.backward.start()
        module = t.module(
            constructor, held=held, frozen=frozen, start=first if first == second else None
        )  # fmt: skip
        arguments: list[object] = [module, x]
        count = len(layer.state_names)
        if start:
            pairs = [code.call("torch.stack", (start[i], start[i + count])) for i in range(count)]
            arguments.append(tuple(pairs) if count > 1 else pairs[0])
        sequences, wants = layer.return_sequences, [layer.return_state] * count
        wants[0] = wants[0] or not sequences
        plain = sequences and self.merge_mode == "concat"
        hint = code.Name(t.names[0] if plain else t.scope.variable("outputs")) if sequences else code.Name("_")
        ends = [
            code.Name(t.scope.variable(name) if wanted else "_")
            for name, wanted in zip(layer.state_names, wants, strict=True)
        ]
        packed: code.Expr = code.Tuple(tuple(ends)) if count > 1 and any(wants) else ends[0]
        t.scope.forward.append(code.Assign((hint, packed), code.call(*arguments)))  # type: ignore[arg-type]
        states = tuple(code.index(end, side) for side in (0, 1) for end in ends) if layer.return_state else ()
        if not sequences:
            return code.index(ends[0], 0), code.index(ends[0], 1), states
        if plain:
            return hint, hint, states
        halves = code.Name(t.scope.variable("ahead")), code.Name(t.scope.variable("back"))
        t.scope.forward.append(code.Assign(halves, code.method(hint, "chunk", 2, dim=-1)))
        return *halves, states

    def _both(
        self, t: TorchCall, x: code.Expr, start: tuple[code.Expr, ...]
    ) -> tuple[code.Expr, code.Expr, tuple[code.Expr, ...]]:
        if not isinstance(x, code.Name):
            x = t.let(x, "steps")
        outputs: list[code.Expr] = []
        states: list[code.Expr] = []
        rest = start
        for (name, inner, types), hint in zip(self.children(), ("ahead", "back"), strict=True):
            layer: Any = inner
            count = len(layer.state_names)
            results = (types[0],) * (1 + count * layer.return_state)
            call = t.child(name, layer, types, results, t.masks)
            call.names = (t.scope.variable(hint),)
            if start:
                own, rest = rest[:count], rest[count:]
                call.tensors = {"initial_state": own if count > 1 else own[0]}
            result = layer.torch(call, x)
            output, *ends = result if isinstance(result, tuple) else (result,)
            if layer.penalises_activity:
                output = output if isinstance(output, code.Name) else t.let(output, hint)
                t.penalise(layer.activity_regularizer, output, *ends)
            outputs.append(output)
            states += ends
        if self.forward.return_sequences:
            outputs[1] = code.method(outputs[1], "flip", 1)
        return outputs[0], outputs[1], tuple(states)

    # -------------------------------------------------------------------------------------------- in Keras

    def _changes(self, k: KerasCall) -> dict[str, object]:
        given: Any = self.layer
        changed: dict[str, object] = {"layer": keras_inner(k, own_name(given), self._spelled(given), k.inputs)}
        if self.backward_layer is not None:
            changed["backward_layer"] = keras_inner(k, self.backward_name, self.backward, k.inputs)
        return changed

    def _spelled(self, given: Any) -> Any:
        """The layer as Keras gets it: `forward` is it, but for what Keras sets by itself."""
        layer = copy.copy(self.forward)
        layer.zero_output_for_mask = given.zero_output_for_mask
        return layer

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, **self._changes(k))

    def keras(self, k: KerasCall, *inputs: code.Expr) -> Code:
        given = k.tensors.get("initial_state")
        nested = [layer for layer in self.inside if isinstance(layer, RNN)]
        if given is not None and nested:
            rest, states = list(given), list[object]()
            for layer in self.inside:
                count = len(layer.state_names)
                own, rest = rest[:count], rest[count:]
                states += layer.nested(own) if isinstance(layer, RNN) else own
            k.tensors["initial_state"] = states
        pass_mask(k, inputs[0])
        result = k.call(self, *inputs, **self._changes(k))
        nests = any(layer.nests for layer in nested)
        return code.call("keras.tree.flatten", result) if nests and self.forward.return_state else result
