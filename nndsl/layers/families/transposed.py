"""Transposed convolutions: Conv1DTranspose, Conv2DTranspose, Conv3DTranspose."""

from __future__ import annotations

from collections.abc import Iterator

from nndsl import code
from nndsl.ir.dims import Dim, product
from nndsl.ir.types import TensorType
from nndsl.layers import convolving as shared
from nndsl.layers.base import Weight
from nndsl.layers.convolving import Convolving, torch_kernel
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.kinds import Maybe
from nndsl.layers.shapes import Check, Window
from nndsl.layers.spatial import ANY_RANK_OR_ZERO, compact


class Transposed(Convolving):
    """Base of the transposed convolutions.

    Sizes as in keras/src/ops/operation_utils.py, compute_conv_transpose_output_shape: a size n becomes
    (n - 1)*stride + reach without padding, and what Keras wants more or less than that does not depend on n.
    """

    filters = shared.filters
    kernel_size = shared.kernel_size
    strides = shared.strides
    padding = shared.padding
    output_padding = arg(
        Maybe(ANY_RANK_OR_ZERO),
        "Zeros behind the result along each axis, less than the stride; by default what makes the size a multiple.",
        None,
    )
    data_format = shared.data_format
    dilation_rate = shared.dilation_rate
    activation = shared.activation
    use_bias = shared.use_bias
    kernel_initializer = shared.kernel_initializer
    bias_initializer = shared.bias_initializer
    kernel_regularizer = shared.kernel_regularizer
    bias_regularizer = shared.bias_regularizer
    activity_regularizer = shared.activity_regularizer
    kernel_constraint = shared.kernel_constraint
    bias_constraint = shared.bias_constraint

    def check(self) -> None:
        super().check()
        for axis, (extra, stride) in enumerate(zip(self.output_padding or (), self.strides, strict=False)):
            if extra >= stride:
                raise ConfigError(
                    f"an output_padding of {extra} is not less than the stride of {stride} along axis {axis + 1}",
                    "strides",
                    "output_padding",
                    help="`output_padding` chooses among the sizes that a stride maps to one: it must be less than the "
                    "stride",
                )

    def _surplus(self) -> Iterator[tuple[Window, int]]:
        """For each axis the window, and by how much Keras's result is longer than (n - 1)*stride + reach."""
        extras = self.output_padding or (None,) * self.rank
        for window, extra in zip(self.windows, extras, strict=True):
            if self.padding == "valid":
                more = max(window.stride - window.reach, 0) if extra is None else extra
            elif extra is None:
                more = window.stride - window.reach
            else:
                more = window.reach % 2 + extra - window.reach
            yield window, more

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.need(x)
        self.in_channels(x)
        sizes = [
            (n - 1) * window.stride + window.reach + more
            for n, (window, more) in zip(self.sizes(x), self._surplus(), strict=True)
        ]
        return self.of(x, sizes, self.filters)

    def weights(self, x: TensorType) -> list[Weight]:
        kernel = Weight(
            "kernel",
            (*self.kernel_size, self.filters, self.in_channels(x)),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        return [kernel, *self.bias(self.filters)]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        for_one = self.kernel_volume() * self.in_channels(inputs[0]) * self.filters
        return product(self.sizes(inputs[0])) * for_one

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        # torch crops `padding` from both sides and adds `output_padding` behind; Keras crops an odd one behind too.
        cropped = [max(-more, 0) for _, more in self._surplus()]
        around = [crop // 2 for crop in cropped]
        behind = [max(more, 0) for _, more in self._surplus()]
        options: dict[str, object] = {}
        if max(self.strides) > 1:
            options["stride"] = compact(self.strides)
        if any(around):
            options["padding"] = compact(around)
        if any(behind):
            options["output_padding"] = compact(behind)
        if not self.use_bias:
            options["bias"] = False
        if max(self.dilation_rate) > 1:
            options["dilation"] = compact(self.dilation_rate)
        weights = [TorchWeight("weight", "kernel", torch_kernel(self.rank))]
        if self.use_bias:
            weights.append(TorchWeight("bias", "bias"))
        channels = self.in_channels(t.inputs[0]), self.filters
        window = compact(self.kernel_size)
        module = t.module(code.call(f"nn.ConvTranspose{self.rank}d", *channels, window, **options), *weights)
        result: code.Expr = code.call(module, x)
        if any(crop % 2 for crop in cropped):
            last = [code.Slice(stop=code.Literal(-1)) if crop % 2 else code.Slice() for crop in cropped]
            result = code.index(result, code.ELLIPSIS, *last)
        return t.activate(self.activation, result)


@entry("layer", "Convolution1DTranspose")
class Conv1DTranspose(Transposed):
    """The reverse of `Conv1D`: makes a sequence longer by `strides`, with kernels that are learned.

    Takes [length, channels] and gives [length', filters]: length * strides with `padding=same`, and
    (length - 1)*strides + kernel_size or length * strides, whichever is more, with `valid`.
    Weights: kernel [kernel_size, filters, channels], bias [filters].

    Example:
        x -> Conv1DTranspose(16, 4, strides=2, padding=same)
    """

    rank = 1


@entry("layer", "Convolution2DTranspose", formerly=("Deconvolution2D", "Deconv2D"))
class Conv2DTranspose(Transposed):
    """The reverse of `Conv2D`: makes an image larger by `strides`, with kernels that are learned.

    Takes [height, width, channels] and gives [height', width', filters], with sizes as in `Conv1DTranspose`.
    Weights: kernel [height, width, filters, channels], bias [filters].

    Example:
        code -> Conv2DTranspose(32, 3, strides=2, padding=same, activation=relu)
    """

    rank = 2


@entry("layer", "Convolution3DTranspose", formerly=("Deconvolution3D", "Deconv3D"))
class Conv3DTranspose(Transposed):
    """The reverse of `Conv3D`: makes a volume larger by `strides`, with kernels that are learned.

    Takes [depth, height, width, channels] and gives [depth', height', width', filters], with sizes as in
    `Conv1DTranspose`. Weights: kernel [depth, height, width, filters, channels], bias [filters].

    Example:
        code -> Conv3DTranspose(8, 2, strides=2)
    """

    rank = 3


# Keras has these two the other way round in 3D alone.
_names = list(Conv3DTranspose.arguments)
_at = _names.index("output_padding")
_names[_at : _at + 2] = ["data_format", "output_padding"]
Conv3DTranspose.arguments = {name: Conv3DTranspose.arguments[name] for name in _names}
