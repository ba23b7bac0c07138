"""Convolutional recurrent layers: ConvLSTM1D, ConvLSTM2D, ConvLSTM3D.

Paths of weights: `conv_lstm2d/kernel`, where Keras's variable is `conv_lstm2d/conv_lstm_cell/kernel`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.dims import Dim, product
from nndsl.ir.types import TensorType
from nndsl.layers import convolving as shared
from nndsl.layers.base import Code, Weight
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.recurrent import Activity
from nndsl.layers.kinds import Activation
from nndsl.layers.recurrence import (
    ForgetBias,
    ForgetBiasInit,
    Gates,
    Kernels,
    Limits,
    Penalties,
    Seed,
    function,
    is_activation,
    usual_start,
)
from nndsl.layers.sequences import Running, check_states, need_fixed_batch
from nndsl.layers.shapes import Check, ShapeError, Window, need_float, need_rank, static
from nndsl.layers.spatial import AXES, Spatial, compact, slide


class Convolved(Spatial):
    filters = shared.filters
    kernel_size = shared.kernel_size
    strides = shared.strides
    padding = shared.padding
    data_format = shared.data_format
    dilation_rate = shared.dilation_rate
    activation = arg(Activation, "Applied to the candidate and to the output.", "tanh")


class ConvLSTM(Running, Seed, Limits, Activity, Penalties, ForgetBias, Kernels, Gates, Convolved):
    """Base of ConvLSTM1D/2D/3D. Torch computes with channels before the image, [batch, time, channels, …]; Keras with
    channels last, since TensorFlow convolves nothing else on a CPU in every dtype."""

    layout: ClassVar[Any] = "declared"
    state_names = ("h", "c")

    def check(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ConfigError(
                f"`{self.title()}` cannot have both strides and dilation_rate above 1",
                "strides",
                "dilation_rate",
                help="leave one of them at 1",
            )

    @property
    def windows(self) -> list[Window]:
        return [Window(*numbers) for numbers in zip(self.kernel_size, self.strides, self.dilation_rate, strict=True)]

    # ------------------------------------------------------------------------------------------------ types

    def infer(self, check: Check, x: TensorType, **tensors: Any) -> tuple[TensorType, ...] | TensorType:
        names = ["channels", *AXES[self.rank]] if self.channels_first else [*AXES[self.rank], "channels"]
        need_rank(x, self.rank + 3, self.title(), f"[time, {', '.join(names)}]")
        need_float(x, self.title())
        need_fixed_batch(self, x)
        step = self._step(x)
        for axis, size in zip(AXES[self.rank], self.sizes(step), strict=True):
            static(
                size,
                f"the state of `{self.title()}` along the {axis}",
                x,
                help=f"give the {axis} a number: the time may stay free",
            )
        if x.mask and (x.mask_rank != 2 or self.channels_first):
            why = "says more than which steps count" if x.mask_rank != 2 else "comes with channels first"
            raise ShapeError(
                f"`{self.title()}` cannot use a mask that {why}",
                code="NN0218",
                help="leave `mask_zero` or `Masking` out, or let a `Reshape` of the same shape end the mask",
            )
        slide(self, check, step, self.windows, self.padding, what="kernel", argument="kernel_size")
        states = self.state_shapes(x)
        if "initial_state" in tensors:
            check_states(self, check, x, tensors["initial_state"], states, self.state_names)
        if self.return_state and self.channels_first:
            raise ShapeError(
                f"`{self.title()}` cannot return its state with channels first: Keras on a CPU works channels last",
                code="NN0218",
                argument="return_state",
                help="put a `Permute` before and behind it and write `data_format=channels_last`",
            )
        batch, time = x.shape[:2]
        shape = (batch, time, *states[0]) if self.return_sequences else (batch, *states[0])
        output = TensorType(shape, x.dtype, mask=x.mask and self.return_sequences)
        if not self.return_state:
            return output
        return output, *(TensorType((batch, *state), x.dtype) for state in states)

    def _step(self, x: TensorType) -> TensorType:
        return TensorType((x.shape[0], *x.shape[2:]), x.dtype)

    def _inside(self, x: TensorType) -> tuple[int, ...]:
        """The spatial sizes of the state."""
        pairs = zip(self.windows, self.sizes(self._step(x)), strict=True)
        sizes = (window.valid(size) if self.padding == "valid" else window.same(size) for window, size in pairs)
        return tuple(static(size, f"the state of `{self.title()}`", x) for size in sizes)

    def state_shapes(self, x: TensorType) -> tuple[tuple[int, ...], ...]:
        sizes = self._inside(x)
        return ((self.filters, *sizes) if self.channels_first else (*sizes, self.filters),) * 2

    def need_channels_last(self, wrapper: str) -> None:
        """Demands the order of axes that wrappers can cope with: raises ShapeError NN0218."""
        if self.channels_first:
            raise ShapeError(
                f"`{wrapper}` cannot hold a `{self.title()}` with channels first",
                code="NN0218",
                help="put `Permute` around it and write `data_format=channels_last`",
            )

    def _channels(self, x: TensorType) -> int:
        what = f"the kernel of `{self.title()}`"
        return static(self.channels(self._step(x)), what, x, help="give the channels a number")

    def weights(self, *inputs: Any, **tensors: Any) -> list[Weight]:
        bias_initializer = self.bias_initializer
        if self.unit_forget_bias:
            bias_initializer = ForgetBiasInit(bias_initializer, self.filters)
        kernel = Weight(
            "kernel",
            (*self.kernel_size, self._channels(inputs[0]), 4 * self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        recurrent = Weight(
            "recurrent_kernel",
            (*self.kernel_size, self.filters, 4 * self.filters),
            self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        bias = Weight(
            "bias",
            (4 * self.filters,),
            bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )
        return [kernel, recurrent, bias] if self.use_bias else [kernel, recurrent]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        (x,) = inputs
        places = product(self._inside(x)) * x.shape[1]
        return places * product(self.kernel_size) * (self._channels(x) + self.filters) * (4 * self.filters)

    # -------------------------------------------------------------------------------------------- in torch

    @property
    def axes_beside_time(self) -> int:  # type: ignore[override]
        return self.rank + 1

    def torch_states(self, x: TensorType) -> tuple[tuple[int, ...], ...]:
        return ((self.filters, *self._inside(x)),) * 2

    def can_fuse(self) -> bool:
        return False

    def entering(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return x if self.channels_first else code.method(x, "movedim", -1, 2)

    def cell_module(self, t: TorchCall) -> code.Expr:
        (x,), kernel = t.inputs, shared.torch_kernel(self.rank)
        weights = [TorchWeight("weight_ih", "kernel", kernel), TorchWeight("weight_hh", "recurrent_kernel", kernel)]
        if self.use_bias:
            weights.append(TorchWeight("bias_ih", "bias"))
        options: dict[str, object] = {}
        if max(self.strides) > 1:
            options["stride"] = compact(self.strides)
        if self.padding == "same":
            sides = [window.same_padding(n) for window, n in zip(self.windows, self.sizes(self._step(x)), strict=True)]
            flat = tuple(zeros for side in reversed(sides) for zeros in side or ())
            options |= {"padding": flat} if any(flat) else {}
        if max(self.dilation_rate) > 1:
            options["dilation"] = compact(self.dilation_rate)
        if not self.use_bias:
            options["bias"] = False
        step = t.child("step", self, (self._step(x),), (self._step(x),))  # activations see one step of it
        step.first = not self.channels_first
        if not is_activation(self.activation, "tanh"):
            options["activation"] = function(step, self.activation)
        if not is_activation(self.recurrent_activation, "sigmoid"):
            options["recurrent_activation"] = function(step, self.recurrent_activation)
        rates = {"dropout": self.dropout, "recurrent_dropout": self.recurrent_dropout}
        options |= {name: rate for name, rate in rates.items() if rate}
        made = code.call(
            t.helper("ConvLSTMCell"), self._channels(x), self.filters, self.kernel_size, self._inside(x), **options
        )
        return t.module(made, *weights, start=usual_start(self, self.filters if self.unit_forget_bias else 0))

    def torch(self, t: TorchCall, *inputs: code.Expr) -> Code:
        given = t.tensors.get("initial_state")
        if self.channels_first:
            return super().torch(t, *inputs)
        if given is not None:
            t.tensors["initial_state"] = tuple(code.method(state, "movedim", -1, 1) for state in given)
        result = super().torch(t, *inputs)
        output, *states = result if isinstance(result, tuple) else (result,)
        back: list[code.Expr] = [code.method(output, "movedim", 2 if self.return_sequences else 1, -1)]
        back += [code.method(state, "movedim", 1, -1) if t.used[i] else state for i, state in enumerate(states, 1)]
        return tuple(back) if self.return_state else back[0]

    # -------------------------------------------------------------------------------------------- in Keras

    def keras_arguments(self, k: KerasCall, x: TensorType) -> dict[str, object]:
        """The layer works on channels last, whatever the file says: so do its activations."""
        if not self.channels_first:
            return {}
        changed: dict[str, object] = {"data_format": "channels_last"}
        axis = KerasCall(self, (self._step(x),), name=k.name, last=True).axis
        for name in ("activation", "recurrent_activation"):
            if name in self.given and getattr(self, name) is not None:
                changed[name] = getattr(self, name).keras(axis)
        return changed

    def keras(self, k: KerasCall, *inputs: code.Expr) -> Code:  # type: ignore[override]
        if not self.channels_first:
            return super().keras(k, *inputs)
        rank = self.rank
        given = k.tensors.get("initial_state")
        if given is not None:
            k.tensors["initial_state"] = [
                code.call(code.call("layers.Permute", (*range(2, rank + 2), 1)), s) for s in given
            ]
        x = code.call(code.call("layers.Permute", (1, *range(3, rank + 3), 2)), inputs[0])
        result = k.call(self, x, **self.keras_arguments(k, k.inputs[0]))
        back = (1, rank + 2, *range(2, rank + 2)) if self.return_sequences else (rank + 1, *range(1, rank + 1))
        return code.call(code.call("layers.Permute", back), result)


@entry("layer")
class ConvLSTM1D(ConvLSTM):
    """An LSTM whose products are convolutions, over a sequence of sequences (Shi and others, 2015).

    Takes [time, length, channels]; gives [length', filters], or [time, length', filters] with `return_sequences=true`;
    with `return_state=true` the last h and c as well. The length is known, and as in `Conv1D`; the state is convolved
    with zeros around. Masked steps keep the state and repeat the last output. `initial_state=(h, c)` starts from two
    values of [length', filters]. Weights: kernel [kernel_size, channels, 4 * filters], recurrent_kernel
    [kernel_size, filters, 4 * filters], bias [4 * filters], the gates in the order input, forget, candidate, output.

    Example:
        x -> ConvLSTM1D(8, 3, padding=same, return_sequences=true)
    """

    rank = 1


@entry("layer")
class ConvLSTM2D(ConvLSTM):
    """An LSTM whose products are convolutions, over a video (Shi and others, 2015).

    Takes [time, height, width, channels]; gives [height', width', filters], or [time, height', width', filters] with
    `return_sequences=true`. Everything else is as in `ConvLSTM1D`.

    Example:
        video -> ConvLSTM2D(16, 3, padding=same, return_sequences=true) -> ConvLSTM2D(8, 3)
    """

    rank = 2


@entry("layer")
class ConvLSTM3D(ConvLSTM):
    """An LSTM whose products are convolutions, over a sequence of volumes (Shi and others, 2015).

    Takes [time, depth, height, width, channels]; gives [depth', height', width', filters], or
    [time, depth', height', width', filters] with `return_sequences=true`. Everything else is as in `ConvLSTM1D`.

    Example:
        volumes -> ConvLSTM3D(4, 3, padding=same)
    """

    rank = 3
