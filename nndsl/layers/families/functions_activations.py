"""Activations as functions: what `Activation(relu)` does as a layer, `relu(x)` does in an expression."""

from __future__ import annotations

from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.aligning import of_floats
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.function import Function
from nndsl.layers.kinds import Bool, Float, Int
from nndsl.layers.shapes import Check, resolve_axis


class AsActivation(Function):
    """Base of the activations as functions: the activation of the same name does the work."""

    layout = "any"
    module: ClassVar[str] = "ops"  # of Keras

    @property
    def activation(self) -> Any:
        return make("activation", self.title(), **self.given)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        of_floats(self, x)
        return x

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return t.activate(self.activation, x)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return code.call(f"keras.{self.module}.{self.title()}", x, **self.changed())


@entry("function")
class Relu(AsActivation):
    """`max(x, 0)`

    Example:
        relu(x)
    """


@entry("function")
class Relu6(AsActivation):
    """`min(max(x, 0), 6)`

    Example:
        relu6(x)
    """


@entry("function")
class LeakyRelu(AsActivation):
    """`x` where positive, `negative_slope * x` elsewhere.

    Example:
        leaky_relu(x, negative_slope=0.1)
    """

    negative_slope = arg(Float(), "Slope where `x` is negative.", 0.2)


@entry("function")
class Elu(AsActivation):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Example:
        elu(x)
    """

    alpha = arg(Float(), "Scale of the negative part.", 1.0)


@entry("function")
class Selu(AsActivation):
    """`1.0507 * elu(x, alpha=1.6733)`

    Example:
        selu(x)
    """


@entry("function")
class Gelu(AsActivation):
    """`x * P(X <= x)` for a standard normal `X`: exact, unless `approximate`.

    Example:
        gelu(x)
    """

    module = "activations"  # `keras.ops.gelu` approximates unless told not to

    approximate = arg(Bool(), "Whether to use the approximation with tanh.", False)


@entry("function", "swish")
class Silu(AsActivation):
    """`x * sigmoid(x)`

    Example:
        silu(x)
    """


@entry("function")
class Sigmoid(AsActivation):
    """`1 / (1 + exp(-x))`: a probability.

    Example:
        x * sigmoid(gate)
    """


@entry("function")
class LogSigmoid(AsActivation):
    """`log(sigmoid(x))`

    Example:
        log_sigmoid(x)
    """


@entry("function")
class HardSigmoid(AsActivation):
    """`x/6 + 0.5` cut to 0 … 1.

    Example:
        hard_sigmoid(x)
    """


@entry("function")
class Tanh(AsActivation):
    """Hyperbolic tangent.

    Example:
        tanh(x)
    """


@entry("function")
class Softplus(AsActivation):
    """`log(1 + exp(x))`: a smooth relu.

    Example:
        softplus(x)
    """


@entry("function")
class Softsign(AsActivation):
    """`x / (1 + |x|)`

    Example:
        softsign(x)
    """


class AlongAxis(AsActivation):
    """Base of softmax and log_softmax."""

    axis = arg(Int(), "The axis that it works along; 0 is the batch axis, -1 the last.", -1)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        of_floats(self, x)
        resolve_axis(self.axis, x, self.title())
        return x

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        axis = k.axis(self.axis)
        return code.call(f"keras.ops.{self.title()}", x, **({} if axis == -1 else {"axis": axis}))


@entry("function")
class Softmax(AlongAxis):
    """`exp(x) / sum(exp(x))` along an axis: weights that sum to 1.

    Example:
        softmax(scores, axis=1)
    """


@entry("function")
class LogSoftmax(AlongAxis):
    """`log(softmax(x))`, computed without loss of precision.

    Example:
        log_softmax(x)
    """
