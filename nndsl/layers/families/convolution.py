"""Convolutions: Conv1D, Conv2D, Conv3D."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.layers import convolving as shared
from nndsl.layers.base import Weight
from nndsl.layers.convolving import Convolving, torch_kernel
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.kinds import Choice, Int
from nndsl.layers.shapes import Check, ShapeError
from nndsl.layers.spatial import PADDING


class Convolution(Convolving):
    """Base of the ordinary convolutions."""

    filters = shared.filters
    kernel_size = shared.kernel_size
    strides = shared.strides
    padding = shared.padding
    data_format = shared.data_format
    dilation_rate = shared.dilation_rate
    groups = arg(
        Int(1), "Number of groups that the channels are cut into; each group of filters sees its own group alone.", 1
    )
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
        if self.filters % self.groups:
            raise ConfigError(
                f"{self.filters} filters cannot be cut into {self.groups} groups of one size",
                "filters",
                "groups",
                help="`filters` must be a multiple of `groups`",
            )

    def infer(self, check: Check, x: TensorType) -> TensorType:
        sizes = self.convolved(check, x)
        channels = self.in_channels(x)
        if channels % self.groups:
            raise ShapeError(
                f"`{self.title()}` gets {channels} channels, which cannot be cut into {self.groups} groups of one size",
                code="NN0309",
                argument="groups",
                help=f"`groups` must divide {channels}",
            )
        return self.of(x, sizes, self.filters)

    def weights(self, x: TensorType) -> list[Weight]:
        kernel = Weight(
            "kernel",
            (*self.kernel_size, self.in_channels(x) // self.groups, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        return [kernel, *self.bias(self.filters)]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        for_one = self.kernel_volume() * (self.in_channels(inputs[0]) // self.groups) * self.filters
        return self.result_sizes(results) * for_one

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        weights = [TorchWeight("weight", "kernel", torch_kernel(self.rank))]
        if self.use_bias:
            weights.append(TorchWeight("bias", "bias"))
        channels = self.in_channels(t.inputs[0]), self.filters
        result = self.convolve(t, x, channels, self.groups, weights, bias=self.use_bias)
        return t.activate(self.activation, result)


@entry("layer", "Convolution1D", formerly=("AtrousConvolution1D", "AtrousConv1D"))
class Conv1D(Convolution):
    """Slides `filters` kernels over a sequence: what is near in time is looked at together.

    Takes [length, channels] and gives [length', filters], length' = (length - kernel_size)//strides + 1, or with
    `padding=same` or `causal` length/strides rounded up; `causal` pads in front only, so that no step sees a later one.
    Weights: kernel [kernel_size, channels/groups, filters], bias [filters]. A mask ends here.

    Example:
        x -> Conv1D(64, 5, activation=relu)
    """

    rank = 1
    padding = arg(
        Choice("valid", "same", "causal"),
        f"{PADDING} `causal`: zeros in front only.",
        "valid",
        formerly=("border_mode",),
    )


@entry("layer", "Convolution2D", formerly=("AtrousConvolution2D", "AtrousConv2D"))
class Conv2D(Convolution):
    """Slides `filters` kernels over an image.

    Takes [height, width, channels] and gives [height', width', filters]: (height - kernel_size)//strides + 1, or with
    `padding=same` height/strides rounded up, where an odd zero goes below and to the right.
    Weights: kernel [height, width, channels/groups, filters], bias [filters].

    Example:
        image -> Conv2D(32, 3, padding=same, activation=relu)
    """

    rank = 2


@entry("layer", "Convolution3D")
class Conv3D(Convolution):
    """Slides `filters` kernels over a volume, or over a video with time as the first axis.

    Takes [depth, height, width, channels] and gives [depth', height', width', filters], with sizes as in `Conv2D`.
    Weights: kernel [depth, height, width, channels/groups, filters], bias [filters].

    Example:
        video -> Conv3D(16, (3, 5, 5), strides=(1, 2, 2))
    """

    rank = 3
