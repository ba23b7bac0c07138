"""Base of the convolutions: the arguments that all of them share, and how a window convolves in torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.dims import Dim, product
from nndsl.ir.types import TensorType
from nndsl.layers.base import Weight
from nndsl.layers.emit import Step, TorchCall, TorchWeight
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg
from nndsl.layers.kinds import Activation, Bool, Choice, Constraint, DataFormat, Initializer, Int, Regularizer
from nndsl.layers.shapes import Check, Window, static
from nndsl.layers.spatial import ANY_RANK, DATA_FORMAT, PADDING, Spatial, compact, pad, same_in_torch, slide

# Declared once for all convolutions, which have them in different orders.
filters = arg(Int(1), "Number of output channels.", formerly=("nb_filter",))
kernel_size = arg(
    ANY_RANK, "Size of the kernel along each axis.", formerly=("filter_length", "nb_row", "nb_col", "kernel_dim1")
)
strides = arg(ANY_RANK, "Step of the kernel along each axis.", 1, formerly=("subsample", "subsample_length"))
padding = arg(Choice("valid", "same"), PADDING, "valid", formerly=("border_mode",))
data_format = arg(DataFormat, DATA_FORMAT, None, formerly=("dim_ordering",))
dilation_rate = arg(ANY_RANK, "Spacing of the kernel's elements.", 1, formerly=("atrous_rate",))
depth_multiplier = arg(Int(1), "Number of output channels for each input channel.", 1)
activation = arg(Activation, "Applied to the result.", None)
use_bias = arg(Bool(), "Whether a bias is added.", True, formerly=("bias",))
kernel_initializer = arg(Initializer, "Fills the kernel.", "glorot_uniform", formerly=("init",))
bias_initializer = arg(Initializer, "Fills the bias.", "zeros")
kernel_regularizer = arg(Regularizer, "Adds a penalty on the kernel to the loss.", None, formerly=("W_regularizer",))
bias_regularizer = arg(Regularizer, "Adds a penalty on the bias to the loss.", None, formerly=("b_regularizer",))
activity_regularizer = arg(Regularizer, "Adds a penalty on the output to the loss.", None)
kernel_constraint = arg(Constraint, "Holds the kernel to a set after each step.", None, formerly=("W_constraint",))
bias_constraint = arg(Constraint, "Holds the bias to a set after each step.", None, formerly=("b_constraint",))


class Convolving(Spatial):
    """Base of the layers that slide a kernel over the spatial axes."""

    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]
    padding: str
    activation: Any
    use_bias: bool
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    stride_and_dilation: ClassVar[bool] = False  # whether Keras takes both above 1

    def check(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1 and not self.stride_and_dilation:
            raise ConfigError(
                f"`{self.title()}` cannot have both strides and dilation_rate above 1",
                "strides",
                "dilation_rate",
                help="leave one of them at 1",
            )

    def written(self, k: KerasCall) -> dict[str, object]:
        changed = super().written(k)
        if k.last and self.activation is not None:  # one that works along an axis must keep to it
            changed["activation"] = self.activation.keras(k.axis)
        return changed

    @property
    def windows(self) -> list[Window]:
        return [Window(*numbers) for numbers in zip(self.kernel_size, self.strides, self.dilation_rate, strict=True)]

    def convolved(self, check: Check, x: TensorType) -> list[Dim]:
        """The sizes of the spatial axes of the result."""
        self.need(x)
        return slide(self, check, x, self.windows, self.padding, what="kernel", argument="kernel_size")

    def in_channels(self, x: TensorType) -> int:
        return static(self.channels(x), f"the kernel of `{self.title()}`", x, help="give the channels a number")

    def bias(self, size: int) -> list[Weight]:
        if not self.use_bias:
            return []
        options = {"regularizer": self.bias_regularizer, "constraint": self.bias_constraint}
        return [Weight("bias", (size,), self.bias_initializer, **options)]

    def kernel_volume(self) -> Dim:
        return product(self.kernel_size)

    def result_sizes(self, results: tuple[TensorType, ...]) -> Dim:
        return product(self.sizes(results[0]))

    def convolve(
        self,
        t: TorchCall,
        x: code.Expr,
        channels: tuple[int, int],
        groups: int,
        weights: Sequence[TorchWeight],
        *,
        bias: bool,
        name: str = "",
    ) -> code.Expr:
        """`x` through an nn.Conv of the layer's window, padded as Keras pads."""
        none = (0,) * self.rank
        around = none
        if self.padding == "same":
            x, around = same_in_torch(t, x, self.windows, self.sizes(t.inputs[0]))
        elif self.padding == "causal":
            x = pad(x, [(window.reach - 1, 0) for window in self.windows])
        options: dict[str, object] = {}
        if max(self.strides) > 1:
            options["stride"] = compact(self.strides)
        if around != none:
            options["padding"] = compact(around)
        if max(self.dilation_rate) > 1:
            options["dilation"] = compact(self.dilation_rate)
        if groups > 1:
            options["groups"] = groups
        if not bias:
            options["bias"] = False
        conv = code.call(f"nn.Conv{self.rank}d", *channels, compact(self.kernel_size), **options)
        return code.call(t.module(conv, *weights, name=name), x)


def torch_kernel(rank: int) -> tuple[Step, ...]:
    """[*window, in, out] → [out, in, *window]"""
    return (("permute", (rank + 1, rank, *range(rank))),)


def torch_depthwise(kernel_size: Sequence[int], channels: int, multiplier: int) -> tuple[Step, ...]:
    """[*window, in, multiplier] → [in * multiplier, 1, *window]"""
    rank = len(kernel_size)
    return (
        ("permute", (rank, rank + 1, *range(rank))),
        ("reshape", (channels * multiplier, 1, *kernel_size)),
    )
