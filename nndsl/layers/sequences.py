"""What layers that run over a sequence share (families/recurrent.py, and `Bidirectional`, which wraps two of them):
their arguments, their shapes, their states, and how torch runs them.

Masks, states and orders are those of keras/src/backend/tensorflow/rnn.py: a masked step keeps the state and repeats
the last output (zeros before the first one); `go_backwards` gives the outputs in the order in which they were computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.dims import Dim, Formula
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.base import Code, Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import OMIT, KerasCall
from nndsl.layers.entry import arg
from nndsl.layers.kinds import Bool
from nndsl.layers.shapes import Check, ShapeError, need_float, need_rank, static

INITIAL_STATE = "Where the recurrence starts: one value for each state, zeros by default."


class Running(Layer):
    """Base of the layers that run over [time, …], and keep one or more states."""

    tensor_args: ClassVar[dict[str, str]] = {"initial_state": INITIAL_STATE}
    uses_mask = True

    return_sequences = arg(Bool(), "Whether the output of every step is returned, or only the last one.", False)
    return_state = arg(Bool(), "Whether the last state is returned too, behind the output.", False)
    go_backwards = arg(Bool(), "Whether the steps run from the last to the first; so do the outputs.", False)
    stateful = arg(Bool(), "Whether a batch starts from the state in which the one before it ended.", False)
    unroll: bool = False
    zero_output_for_mask: bool = False

    @property
    def static_state(self) -> bool:
        return self.stateful

    # ------------------------------------------------------------- what subclasses say of the recurrence inside

    @property
    def state_sizes(self) -> tuple[int, ...]:
        raise NotImplementedError

    @property
    def state_names(self) -> tuple[str, ...]:
        raise NotImplementedError

    def state_shapes(self, x: TensorType) -> tuple[tuple[int, ...], ...]:
        """The shape of each state without the batch axis, over an input of this type."""
        return tuple((size,) for size in self.state_sizes)

    @property
    def output_size(self) -> int:
        return self.state_sizes[0]

    axes_beside_time: ClassVar[int] = 1  # of a step, beside the batch axis

    def torch_states(self, x: TensorType) -> tuple[tuple[int, ...], ...]:
        """`state_shapes` in the order of axes in which torch holds the states."""
        return self.state_shapes(x)

    def can_fuse(self) -> bool:
        """Whether one of torch's own modules computes exactly this."""
        raise NotImplementedError

    def fused_module(self, t: TorchCall) -> code.Expr:
        raise NotImplementedError

    def cell_module(self, t: TorchCall) -> code.Expr:
        raise NotImplementedError

    def step_multiply_adds(self, size: Dim) -> Dim:
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------ types

    def infer(self, check: Check, x: TensorType, **tensors: Any) -> tuple[TensorType, ...] | TensorType:
        name = self.title()
        need_rank(x, 3, name, "[time, features]")
        need_float(x, name)
        static(x.last, f"the kernel of `{name}`", x)
        need_fixed_batch(self, x)
        if self.unroll and isinstance(x.shape[1], Formula):
            raise ShapeError(
                f"`unroll=true` writes out every step, and their number `{x.shape[1]}` is not known before the program "
                "runs",
                code="NN0215",
                argument="unroll",
                help="leave `unroll` out: the result is the same",
            )
        if "initial_state" in tensors:
            check_states(self, check, x, tensors["initial_state"], self.state_shapes(x), self.state_names)
        batch, time = x.shape[:2]
        shape = (batch, time, self.output_size) if self.return_sequences else (batch, self.output_size)
        output = TensorType(shape, x.dtype, mask=x.mask and self.return_sequences)
        if not self.return_state:
            return output
        return output, *(TensorType((batch, size), x.dtype) for size in self.state_sizes)

    def result_mask(self, *masks: bool) -> bool:
        return masks[0] and self.return_sequences

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        return self.step_multiply_adds(inputs[0].last) * inputs[0].shape[1]

    # -------------------------------------------------------------------------------------------- in torch

    def torch(self, t: TorchCall, *inputs: code.Expr) -> Code:
        mask = t.masks[0] if t.masks else None
        fused = mask is None and self.can_fuse()
        states = [code.Name("_") for _ in self.state_names]
        for i, name in enumerate(self.state_names):
            asked = self.return_state and t.used[1 + i : 2 + i] != (False,)
            if asked and not fused and i + 1 < len(t.names):
                states[i] = code.Name(t.names[1 + i])
            elif asked or self.stateful or (fused and i == 0 and not self.return_sequences):
                states[i] = code.Name(t.scope.variable(name))
        output = code.Name("_")
        if self.return_sequences:
            output = code.Name(t.names[0] if t.used[0] else "_")
        elif not fused and t.used[0]:
            output = code.Name(t.scope.variable("outputs"))
        call = self._fused_call(t, inputs[0]) if fused else self._scan_call(t, inputs[0], mask)
        packed: code.Expr = code.Tuple(tuple(states))
        if all(name.id == "_" for name in states) or (fused and len(states) == 1):
            packed = states[0]
        t.scope.forward.append(code.Assign((output, packed), call))
        if self.stateful:
            self._keep(t, states)
        ends: list[code.Expr] = [code.index(s, -1) if fused and s.id != "_" else s for s in states]
        result: code.Expr = output
        if not self.return_sequences:
            result = ends[0] if fused else code.index(output, code.Slice(), -1)
        if mask is not None and self.zero_output_for_mask and output.id != "_":
            mask = self._in_order(mask)
            axes = (None,) * self.axes_beside_time
            kept = (
                code.index(mask, code.Slice(), -1, *axes)
                if not self.return_sequences
                else code.method(mask, "unsqueeze", -1)
                if len(axes) == 1
                else code.index(mask, code.Ellipsis_(), *axes)
            )
            result = code.call("torch.where", kept, result, 0.0)
        return (result, *ends) if self.return_state else result

    def _fused_call(self, t: TorchCall, x: code.Expr) -> code.Expr:
        module = self.fused_module(t)
        x = self._in_order(self.entering(t, x))
        start = self._start(t)
        if not start:
            return code.call(module, x)
        if "initial_state" in t.tensors:
            start = tuple(code.method(state, "unsqueeze", 0) for state in start)
        return code.call(module, x, start if len(start) > 1 else start[0])

    def _scan_call(self, t: TorchCall, x: code.Expr, mask: code.Expr | None) -> code.Expr:
        arguments: list[object] = [self.cell_module(t), self._in_order(self.entering(t, x))]
        options: dict[str, object] = {}
        if mask is not None and self.can_fuse():
            arguments.append(self._in_order(mask))
        elif mask is not None:
            more = (None,) * (self.axes_beside_time - 1)  # `scan` adds the first itself
            mask = self._in_order(mask)
            options["mask"] = code.index(mask, code.Ellipsis_(), *more) if more else mask
        start = self._start(t)
        if start:
            arguments.append(start)
        return code.call(t.helper("masked_scan" if self.can_fuse() else "scan"), *arguments, **options)

    def _in_order(self, steps: code.Expr) -> code.Expr:
        """[batch, time, …] in the order in which the steps are computed."""
        return code.method(steps, "flip", 1) if self.go_backwards else steps

    def entering(self, t: TorchCall, x: code.Expr) -> code.Expr:
        """The input as the recurrence sees it (where dropout acts on all of it at once)."""
        return x

    def _start(self, t: TorchCall) -> tuple[code.Expr, ...]:
        given = t.tensors.get("initial_state")
        if given is not None:
            return given if isinstance(given, tuple) else (given,)
        if not self.stateful:
            return ()
        return tuple(self._buffers(t))

    def _buffers(self, t: TorchCall) -> list[code.Expr]:
        batch = t.inputs[0].shape[0]
        fused = self.can_fuse() and not (t.masks and t.masks[0] is not None)
        shapes = ((*((1,) if fused else ()), batch, *shape) for shape in self.torch_states(t.inputs[0]))
        places = []
        for name, shape in zip(self.state_names, shapes, strict=True):
            place = t.buffer(name, code.call("torch.zeros", *shape))
            clear = code.Assign((place,), code.call("torch.zeros_like", place))
            if clear not in t.scope.reset:
                t.scope.reset.append(clear)
            places.append(place)
        return places

    def _keep(self, t: TorchCall, states: Sequence[code.Name]) -> None:
        for place, state in zip(self._buffers(t), states, strict=True):
            t.scope.forward.append(code.Assign((place,), code.method(state, "detach")))

    # -------------------------------------------------------------------------------------------- in Keras

    def keras_changes(self, x: TensorType) -> dict[str, object]:
        """Arguments that the Keras program needs otherwise than the file gives them, for an input of this type."""
        changed: dict[str, object] = {}
        if x.mask and "use_cudnn" in self.arguments:
            # On a GPU Keras's cuDNN path gives zeros at masked steps, and takes no mask but one at the right.
            changed["use_cudnn"] = False
        if x.mask and self.unroll:
            # Keras 3.15 unrolls `go_backwards` with `zero_output_for_mask` against the mask in the wrong order.
            changed["unroll"] = OMIT
        return changed

    def keras_arguments(self, k: KerasCall, x: TensorType) -> dict[str, object]:
        """`keras_changes`, as `KerasCall.build` and `KerasCall.call` take them."""
        return self.keras_changes(x)

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, **self.keras_arguments(k, k.inputs[0]))

    def keras(self, k: KerasCall, *inputs: code.Expr) -> Code:
        pass_mask(k, inputs[0])
        return k.call(self, *inputs, **self.keras_arguments(k, k.inputs[0]))


class Sequences(Running):
    """Base of the layers that run over [time, features]. `zero_output_for_mask` is an argument of theirs too, last."""

    unroll = arg(Bool(), "Whether Keras writes out every step instead of a loop; torch computes the same.", False)


def pass_mask(k: KerasCall, x: code.Expr) -> None:
    """Keras 3.15 loses the mask of a call with `initial_state` (layer.py looks for an argument `sequences_mask`)."""
    if "initial_state" in k.tensors and k.inputs[0].mask:
        k.tensors["mask"] = code.Attr(x, "_keras_mask")


def need_fixed_batch(layer: Any, x: TensorType, argument: str = "stateful") -> None:
    """Demands a number as batch size of a stateful layer."""
    if layer.static_state and not isinstance(x.shape[0], int):
        example = show_shape(x.features)
        raise ShapeError(
            f"`{layer.title()}` with `stateful=true` keeps a state for each place in the batch, and the batch has no "
            "fixed size",
            code="NN0311",
            argument=argument,
            help=f"declare the batch at the input: `input wave: float{example} with batch=50`",
        )


def check_states(
    layer: Layer,
    check: Check,
    x: TensorType,
    given: Any,
    shapes: Sequence[tuple[int, ...]],
    names: Sequence[str],
) -> None:
    """Demands a float value of its shape for each state. Raises ShapeError NN0312."""
    types: tuple[TensorType, ...] = given if isinstance(given, tuple) else (given,)
    wanted = ", ".join(f"{name} {show_shape(shape)}" for name, shape in zip(names, shapes, strict=True))

    def error(message: str, help: str | None = None) -> ShapeError:
        return ShapeError(message, code="NN0312", argument="initial_state", inputs=(), help=help)

    if len(types) != len(shapes):
        example = f"({', '.join(names)})" if len(names) > 1 else names[0]
        raise error(
            f"`{layer.title()}` has {len(shapes)} state{'s' if len(shapes) > 1 else ''} ({wanted}), and "
            f"`initial_state` gives {len(types)}",
            f"write `initial_state={example}`",
        )
    for type_, shape, name in zip(types, shapes, names, strict=True):
        fits = f"state {name} of `{layer.title()}` is float{show_shape(shape)}, and `initial_state` gives {type_}"
        if type_.rank != len(shape) + 1 or not type_.batched or not type_.is_float:
            raise error(fits)
        dense = f"make both the same size, for instance with `Dense({shape[-1]})` before" if len(shape) == 1 else None
        for have, want in zip(type_.features, shape, strict=True):
            check.equal(have, want, error(fits, dense))
        if type_.shape[0] != x.shape[0]:
            raise error(f"the batch of state {name} is {type_.shape[0]}, and that of the input {x.shape[0]}")
