"""Activations: functions of one tensor, with the meaning of keras/src/activations/activations.py.

PyTorch's own function is used where value and gradient agree with Keras on TensorFlow to float32 round-off, at the
kinks too (a layer with zero inputs and zero biases sits exactly on one).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from nndsl import code
from nndsl.ir.dims import exact_div
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.emit import TorchCall
from nndsl.layers.entry import Entry, arg, entry
from nndsl.layers.kinds import Float, Int, Maybe
from nndsl.layers.shapes import ShapeError, resolve_axis


class Activation(Entry):
    """Base of the activations. In a file `relu` or `leaky_relu(negative_slope=0.1)`, in Keras the string "relu".

    `keeps_shape` is False where the result has another shape: such an activation stands in an `Activation` layer of
    its own.
    """

    keeps_shape: ClassVar[bool] = True

    @property
    def alone(self) -> str | None:
        """Why it cannot be the `activation=` of another layer, in words, or None where it can."""
        return None if self.keeps_shape else "changes the shape"

    def shape(self, x: TensorType) -> TensorType:
        """The type of the result; raises ShapeError."""
        return x

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        """`x` through the activation, on a tensor whose axes are those of `t.axis`."""
        raise NotImplementedError

    def keras(self, axis: Callable[[int], int] | None = None) -> code.Expr:
        """What Keras takes as `activation=`: the name, or with other than the default arguments a
        `functools.partial` of the function. `axis` turns an axis of the file into one of the tensor at hand."""
        options = {name: value for name, value in self.given.items() if value != self.arguments[name].default}
        if axis is not None and "axis" in self.arguments:
            at_hand = axis(getattr(self, "axis"))  # noqa: B009 (only some activations have it)
            options.pop("axis", None)
            if at_hand != -1:
                options["axis"] = at_hand
        name = type(self).__name__
        if not options:
            return code.Literal(name)
        return code.call("functools.partial", code.dotted(f"keras.activations.{name}"), **options)


def named(t: TorchCall, x: code.Expr) -> code.Expr:
    """`x` itself where it is a name, else a new name for it: for code that needs it twice."""
    return x if isinstance(x, code.Name) else t.let(x, "z")


def relu_code(
    t: TorchCall, x: code.Expr, *, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> code.Expr:
    """Keras's generalised relu, branch by branch as `ReLU.static_call`: its gradient at 6 is 0 for `max_value=6`
    (relu6), and 1 at any other bound (clip)."""
    if negative_slope and max_value is None and not threshold:
        return code.call("F.leaky_relu", x, negative_slope=t.rounded(negative_slope))
    if negative_slope:
        x = named(t, x)
    result: code.Expr
    if threshold:
        result = code.call("F.threshold", x, t.rounded(threshold), 0.0)
    elif max_value == 6:
        result = code.call("F.relu6", x)
    else:
        result = code.call("F.relu", x)
    if max_value is not None and (threshold or max_value != 6):
        bounds = {"min": 0.0} if threshold < 0 else {}
        bounds["max"] = t.rounded(max_value)
        result = code.method(result, "clamp", **bounds)
    if negative_slope:
        below = code.binary("-", threshold, x) if threshold else code.Unary("-", x)
        result = code.binary("-", result, code.binary("*", negative_slope, code.call("F.relu", below)))
    return result


def feature_axis(axis: int, x: TensorType, name: str, argument: str) -> int:
    """A Keras axis as a position; it must not be the batch axis."""
    position = resolve_axis(axis, x, name, argument=argument)
    if position == 0:
        raise ShapeError(
            f"`{name}` would work across the batch: {show_shape(x.features)} has no axis {axis} after the batch axis",
            code="NN0308",
            argument=argument,
            help="give each sample an axis with `Reshape((1,))`"
            if x.rank == 1
            else "axis 0 is the batch: take 1 or more, or -1 for the last",
        )
    return position


@entry("activation")
class linear(Activation):
    """The input itself."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return x


@entry("activation")
class relu(Activation):
    """`max(x, 0)`: cuts off what is negative."""

    negative_slope = arg(Float(0), "Slope below the threshold.", 0.0, formerly=("alpha",))
    max_value = arg(Maybe(Float(0)), "The largest value of the result; `none` for no limit.", None)
    threshold = arg(Float(), "Values up to here become 0 (or follow `negative_slope`).", 0.0)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return relu_code(t, x, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold)


@entry("activation")
class relu6(Activation):
    """`min(max(x, 0), 6)`"""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.relu6", x)


@entry("activation")
class leaky_relu(Activation):
    """`x` where positive, `negative_slope * x` elsewhere (0.2 by default; the layer `LeakyReLU` has 0.3)."""

    negative_slope = arg(Float(), "Slope where `x` is negative.", 0.2, formerly=("alpha",))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.leaky_relu", x, negative_slope=t.rounded(self.negative_slope))


@entry("activation")
class elu(Activation):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016)."""

    alpha = arg(Float(), "Scale of the negative part.", 1.0)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.elu", x, **({} if self.alpha == 1 else {"alpha": self.alpha}))


@entry("activation")
class selu(Activation):
    """`1.0507 * elu(x, alpha=1.6733)`: keeps mean and variance (Klambauer et al., 2017); use it with `lecun_normal`."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call(t.helper("selu"), x)


@entry("activation")
class celu(Activation):
    """`max(x, 0) + alpha * (exp(min(x, 0) / alpha) - 1)` (Barron, 2017)."""

    alpha = arg(Float(0, above=True), "Scale of the negative part.", 1.0)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call(t.helper("celu"), x, **({} if self.alpha == 1 else {"alpha": self.alpha}))


class OverAxis(Activation):
    """Base of the activations that work along one axis."""

    axis = arg(Int(), "The axis that it works along; -1 is the last.", -1)

    @property
    def alone(self) -> str | None:
        return super().alone if self.axis == -1 else "works along an axis of its own"

    def shape(self, x: TensorType) -> TensorType:
        feature_axis(self.axis, x, self.title(), "activation")
        return x


@entry("activation")
class softmax(OverAxis):
    """`exp(x) / sum(exp(x))` over the last axis: probabilities that sum to 1."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.softmax", x, dim=t.axis(self.axis))


@entry("activation")
class log_softmax(OverAxis):
    """`log(softmax(x))`, computed without loss of precision."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.log_softmax", x, dim=t.axis(self.axis))


@entry("activation")
class glu(OverAxis):
    """`a * sigmoid(b)` for the two halves `a` and `b` of the last axis (Dauphin et al., 2016).

    The result is half as wide, so it stands in a layer of its own: `x -> Dense(64) -> Activation(glu)` gives 32.
    """

    keeps_shape = False

    def shape(self, x: TensorType) -> TensorType:
        position = feature_axis(self.axis, x, self.title(), "activation")
        half = exact_div(x.shape[position], 2)
        if half is None:
            raise ShapeError(
                f"`glu` cuts axis {self.axis} into two halves, and {x.shape[position]} is odd",
                code="NN0309",
                argument="activation",
                help="give the layer before it an even size: twice what is to come out",
            )
        return x.with_shape(*(half if axis == position else x.shape[axis] for axis in range(1, x.rank)))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.glu", x, dim=t.axis(self.axis))
