"""Spectral normalization: SpectralNormalization, around a layer with a kernel.

The kernel counts as the wrapper's own weight, before `vector_u`, which is Keras's order: `sn/kernel`, `sn/vector_u`,
`sn.dense/bias`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.layers.base import Code, Layer, Weight
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.convolution import Convolution
from nndsl.layers.families.core import Dense
from nndsl.layers.families.depthwise import Depthwise
from nndsl.layers.families.einsum_dense import EinsumDense
from nndsl.layers.families.transposed import Transposed
from nndsl.layers.kinds import Int, Of
from nndsl.layers.shapes import Check, ShapeError
from nndsl.layers.wrapping import freeze, keras_inner, own_name
from nndsl.records import replace

_TAKEN = "it takes `Dense`, `EinsumDense`, convolutions, their transposes and depthwise convolutions"
_LEFT_OUT = {
    "Embedding": "Keras 3.15 turns the vectors that come out into the type of the ids, integers",
    "SeparableConv1D": "it has two kernels, and Keras 3.15 takes a layer with one",
    "SeparableConv2D": "it has two kernels, and Keras 3.15 takes a layer with one",
}


class _Inside(TorchCall):
    """The call of the layer inside, whose module goes into the wrapper's."""

    outer: TorchCall

    def module(self, constructor: code.Call, *weights: TorchWeight, **options: Any) -> code.Expr:
        layer: Any = self.outer.layer
        more = {} if layer.power_iterations == 1 else {"iterations": layer.power_iterations}
        if isinstance(layer.inner, Depthwise):
            more["rows"] = layer.inner.depth_multiplier
        wrapped = code.call(self.helper("SpectralNormalization"), constructor, **more)
        placed = [replace(weight, key=f"layer.{weight.key}") for weight in weights]
        own = [weight for weight in placed if weight.weight == "kernel"]
        rest: Any = [(self, weight) for weight in placed if weight.weight != "kernel"]
        return self.outer.module(wrapped, *own, TorchWeight("u", "vector_u"), held=rest)


@entry("layer")
class SpectralNormalization(Layer):
    """Divides the kernel of a layer by its largest singular value before every training call, for good (Miyato and
    others, 2018): a small change of the input then changes the output little.

    Takes `Dense`, `EinsumDense`, `Conv1D`, `Conv2D`, `Conv3D`, their transposes, `DepthwiseConv1D` and
    `DepthwiseConv2D`, and what these take; a mask ends here. The value is estimated by `power_iterations` steps that
    start from `vector_u`, which the last call has left. The gradient is that of the divided kernel. Weights: those of
    the layer, and vector_u [1, last axis of the kernel].

    Example:
        image -> SpectralNormalization(Conv2D(16, 3, padding=same))
    """

    once = True
    layer = arg(Of("layer"), "The layer whose kernel is normalized.")
    power_iterations = arg(Int(1), "Steps of the estimate at each call.", 1)

    def check(self) -> None:
        self.inner: Any = self.layer
        title = self.inner.title()
        if title in _LEFT_OUT:
            raise ConfigError(
                f"`SpectralNormalization` cannot hold `{title}`: {_LEFT_OUT[title]}",
                "layer",
                help=_TAKEN,
                code="NN0218",
            )
        if not isinstance(self.inner, Dense | EinsumDense | Convolution | Transposed | Depthwise):
            raise ConfigError(
                f"`SpectralNormalization` takes a layer with a kernel, not `{title}`",
                "layer",
                help=_TAKEN,
            )
        self.rest: Any = copy.copy(self.inner)
        self.rest.__dict__["weights"] = self._others
        self.inside = (self.inner, self.rest)
        if not (self.trainable and self.inner.trainable):
            freeze(self)

    def _others(self, *inputs: Any) -> list[Weight]:
        """What is left of the weights of the layer inside."""
        return [weight for weight in self.inner.weights(*inputs) if weight.name != "kernel"]

    @property
    def layout(self) -> Any:  # type: ignore[override]
        """That of the layer inside."""
        return self.inner.layout

    @property
    def data_format(self) -> Any:  # type: ignore[override]
        return getattr(self.inner, "data_format", None)

    @property
    def activity_regularizer(self) -> Any:
        return self.inner.activity_regularizer

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self._types = (x,)
        if x.mask and self.inner.result_mask(True):
            raise ShapeError(
                f"`SpectralNormalization({self.inner.title()}(…))` cannot take a mask, which Keras 3.15 hands on when "
                "it runs and not when it is built",
                code="NN0218",
                help="end the mask before it, for instance by `Reshape` of the same shape",
            )
        try:
            result: TensorType = self.inner.infer(check, x)
        except ShapeError as error:
            error.argument = "layer"
            raise
        return replace(result, mask=False)

    def weights(self, x: TensorType) -> list[Weight]:
        kernel = next(weight for weight in self.inner.weights(x) if weight.name == "kernel")
        start = make("initializer", "TruncatedNormal", stddev=0.02)
        return [kernel, Weight("vector_u", (1, kernel.shape[-1]), start, trainable=False)]

    def children(self) -> Sequence[tuple[str, Layer, tuple[TensorType, ...]]]:
        return [(own_name(self.inner), self.rest, self._types)]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        total: Dim = self.inner.multiply_adds(inputs, results)
        return total

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        call = _Inside(
            t.scope, self.rest, t.inputs, t.results,
            attribute=t.attribute, path=f"{t.path}.{own_name(self.inner)}", first=t.first, masks=t.masks,
            names=t.names, used=t.used, float_dtype=t.float_dtype,
        )  # fmt: skip
        call.outer = t
        if isinstance(self.inner, EinsumDense):
            return call.activate(self.inner.activation, code.call(self.inner.module(call), x))
        result: code.Expr = self.rest.torch(call, x)
        return result

    def _changes(self, k: KerasCall) -> dict[str, object]:
        if k.variable is not None:
            return {}  # the layer is made already
        return {"layer": keras_inner(k, own_name(self.inner), self.inner, k.inputs)}

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, **self._changes(k))

    def keras(self, k: KerasCall, *inputs: code.Expr) -> Code:
        return k.call(self, *inputs, **self._changes(k))
