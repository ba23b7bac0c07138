"""Convolutions of each channel on its own: DepthwiseConv1D/2D, SeparableConv1D/2D."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.layers import convolving as shared
from nndsl.layers.base import Weight
from nndsl.layers.convolving import Convolving, torch_depthwise, torch_kernel
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Constraint, Initializer, Regularizer
from nndsl.layers.shapes import Check

depthwise_initializer = arg(Initializer, "Fills the depthwise kernel.", "glorot_uniform", formerly=("init",))
depthwise_regularizer = arg(Regularizer, "Adds a penalty on the depthwise kernel to the loss.", None)
depthwise_constraint = arg(Constraint, "Holds the depthwise kernel to a set after each step.", None)


class Depthwise(Convolving):
    """Base of the depthwise convolutions."""

    stride_and_dilation = True
    kernel_size = shared.kernel_size
    strides = shared.strides
    padding = shared.padding
    depth_multiplier = shared.depth_multiplier
    data_format = shared.data_format
    dilation_rate = shared.dilation_rate
    activation = shared.activation
    use_bias = shared.use_bias
    depthwise_initializer = depthwise_initializer
    bias_initializer = shared.bias_initializer
    depthwise_regularizer = depthwise_regularizer
    bias_regularizer = shared.bias_regularizer
    activity_regularizer = shared.activity_regularizer
    depthwise_constraint = depthwise_constraint
    bias_constraint = shared.bias_constraint

    def infer(self, check: Check, x: TensorType) -> TensorType:
        sizes = self.convolved(check, x)
        return self.of(x, sizes, self.in_channels(x) * self.depth_multiplier)

    def weights(self, x: TensorType) -> list[Weight]:
        channels = self.in_channels(x)
        kernel = Weight(
            "kernel",
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        return [kernel, *self.bias(channels * self.depth_multiplier)]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        return self.result_sizes(results) * self.kernel_volume() * self.channels(results[0])

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        channels = self.in_channels(t.inputs[0])
        steps = torch_depthwise(self.kernel_size, channels, self.depth_multiplier)
        weights = [TorchWeight("weight", "kernel", steps)]
        if self.use_bias:
            weights.append(TorchWeight("bias", "bias"))
        sizes = channels, channels * self.depth_multiplier
        result = self.convolve(t, x, sizes, channels, weights, bias=self.use_bias)
        return t.activate(self.activation, result)


class Separable(Convolving):
    """Base of the separable convolutions."""

    stride_and_dilation = True
    filters = shared.filters
    kernel_size = shared.kernel_size
    strides = shared.strides
    padding = shared.padding
    data_format = shared.data_format
    dilation_rate = shared.dilation_rate
    depth_multiplier = shared.depth_multiplier
    activation = shared.activation
    use_bias = shared.use_bias
    depthwise_initializer = depthwise_initializer
    pointwise_initializer = arg(Initializer, "Fills the pointwise kernel.", "glorot_uniform")
    bias_initializer = shared.bias_initializer
    depthwise_regularizer = depthwise_regularizer
    pointwise_regularizer = arg(Regularizer, "Adds a penalty on the pointwise kernel to the loss.", None)
    bias_regularizer = shared.bias_regularizer
    activity_regularizer = shared.activity_regularizer
    depthwise_constraint = depthwise_constraint
    pointwise_constraint = arg(Constraint, "Holds the pointwise kernel to a set after each step.", None)
    bias_constraint = shared.bias_constraint

    def infer(self, check: Check, x: TensorType) -> TensorType:
        sizes = self.convolved(check, x)
        self.in_channels(x)
        return self.of(x, sizes, self.filters)

    def weights(self, x: TensorType) -> list[Weight]:
        channels = self.in_channels(x)
        depthwise = Weight(
            "depthwise_kernel",
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        pointwise = Weight(
            "pointwise_kernel",
            (*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        return [depthwise, pointwise, *self.bias(self.filters)]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        between = self.in_channels(inputs[0]) * self.depth_multiplier
        return self.result_sizes(results) * between * (self.kernel_volume() + self.filters)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        channels = self.in_channels(t.inputs[0])
        between = channels * self.depth_multiplier
        steps = torch_depthwise(self.kernel_size, channels, self.depth_multiplier)
        depthwise = [TorchWeight("weight", "depthwise_kernel", steps)]
        x = self.convolve(t, x, (channels, between), channels, depthwise, bias=False, name="depthwise")
        pointwise = [TorchWeight("weight", "pointwise_kernel", torch_kernel(self.rank))]
        if self.use_bias:
            pointwise.append(TorchWeight("bias", "bias"))
        x = t.step(x, "depthwise")
        options = {} if self.use_bias else {"bias": False}
        conv = code.call(f"nn.Conv{self.rank}d", between, self.filters, 1, **options)
        return t.activate(self.activation, code.call(t.module(conv, *pointwise, name="pointwise"), x))


@entry("layer")
class DepthwiseConv1D(Depthwise):
    """Convolves each channel of a sequence with its own `depth_multiplier` kernels.

    Takes [length, channels] and gives [length', channels * depth_multiplier], with lengths as in `Conv1D`.
    Weights: kernel [kernel_size, channels, depth_multiplier], bias [channels * depth_multiplier].

    Example:
        x -> DepthwiseConv1D(7, padding=same)
    """

    rank = 1


@entry("layer")
class DepthwiseConv2D(Depthwise):
    """Convolves each channel of an image with its own `depth_multiplier` kernels.

    Takes [height, width, channels] and gives [height', width', channels * depth_multiplier], with sizes as in `Conv2D`.
    Weights: kernel [height, width, channels, depth_multiplier], bias [channels * depth_multiplier].

    Example:
        image -> DepthwiseConv2D(3, padding=same, use_bias=false)
    """

    rank = 2


@entry("layer", "SeparableConvolution1D")
class SeparableConv1D(Separable):
    """Convolves each channel of a sequence on its own, then mixes the channels with a kernel of size 1.

    Takes [length, channels] and gives [length', filters], with lengths as in `Conv1D`. Weights:
    depthwise_kernel [kernel_size, channels, depth_multiplier],
    pointwise_kernel [1, channels * depth_multiplier, filters], bias [filters].

    Example:
        x -> SeparableConv1D(64, 5, padding=same, activation=relu)
    """

    rank = 1


@entry("layer", "SeparableConvolution2D")
class SeparableConv2D(Separable):
    """Convolves each channel of an image on its own, then mixes the channels with a kernel of size 1 (Chollet, 2017).

    Takes [height, width, channels] and gives [height', width', filters], with sizes as in `Conv2D`. Weights:
    depthwise_kernel [height, width, channels, depth_multiplier], pointwise_kernel
    [1, 1, channels * depth_multiplier, filters], bias [filters].

    Example:
        image -> SeparableConv2D(64, 3, padding=same, use_bias=false)
    """

    rank = 2
