"""Activations that Keras has as layers: ReLU, LeakyReLU, ELU, PReLU, Softmax."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.base import Layer, Weight
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.families.activations import feature_axis, relu_code
from nndsl.layers.kinds import Constraint, Either, Float, Initializer, Int, ListOf, Maybe, Regularizer
from nndsl.layers.shapes import Check, ShapeError, need_float, static


class Pointwise(Layer):
    """Base of the layers that keep shape and mask."""

    layout = "any"

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, self.title())
        return x

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]


@entry("layer", formerly=("ThresholdedReLU",))
class ReLU(Pointwise):
    """`max(x, 0)`, with options: `x` between `threshold` and `max_value`, `negative_slope * (x - threshold)` below.

    Any shape; a mask passes through. Without options it is `Activation(relu)`.

    Example:
        x -> Conv2D(32, 3) -> ReLU(max_value=6)
    """

    max_value = arg(Maybe(Float(0)), "The largest value of the result; `none` for no limit.", None)
    negative_slope = arg(Float(0), "Slope below the threshold.", 0.0)
    threshold = arg(Float(0), "Values up to here become 0 (or follow `negative_slope`).", 0.0, formerly=("theta",))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return relu_code(t, x, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold)


@entry("layer")
class LeakyReLU(Pointwise):
    """`x` where positive, `negative_slope * x` elsewhere.

    Any shape; a mask passes through. The slope is 0.3 here, and 0.2 in `Activation(leaky_relu)`: so it is in Keras.

    Example:
        x -> Dense(64) -> LeakyReLU(0.1)
    """

    negative_slope = arg(Float(0), "Slope where `x` is negative.", 0.3, formerly=("alpha",))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.leaky_relu", x, negative_slope=t.rounded(self.negative_slope))


@entry("layer")
class ELU(Pointwise):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Any shape; a mask passes through.

    Example:
        x -> Dense(64) -> ELU()
    """

    alpha = arg(Float(), "Scale of the negative part.", 1.0)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.elu", x, **({} if self.alpha == 1 else {"alpha": self.alpha}))


@entry("layer")
class PReLU(Pointwise):
    """`x` where positive, `alpha * x` elsewhere, with an `alpha` that is learned for every position.

    `shared_axes=[1, 2]` shares it over height and width, so that each channel has one. A mask passes through.
    Weights: alpha, of the shape of a sample with 1 on the shared axes.

    Example:
        image -> Conv2D(32, 3) -> PReLU(shared_axes=[1, 2])
    """

    alpha_initializer = arg(Initializer, "Fills alpha.", "Zeros", formerly=("init",))
    alpha_regularizer = arg(Regularizer, "Adds a penalty on alpha to the loss.", None)
    alpha_constraint = arg(Constraint, "Holds alpha to a set after each step.", None)
    shared_axes = arg(
        Maybe(ListOf(Int(1), single=True)), "Axes along which alpha is shared; 1 is the first after the batch.", None
    )

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, "PReLU")
        for axis in self.shared_axes or ():
            if axis >= x.rank:
                raise ShapeError(
                    f"`PReLU` cannot share along axis {axis}: its input {show_shape(x.features)} has axes 1 to "
                    f"{x.rank - 1} after the batch axis",
                    code="NN0308",
                    argument="shared_axes",
                )
        self._shape(x)
        return x

    def _shape(self, x: TensorType) -> tuple[int, ...]:
        shared = self.shared_axes or ()
        help = "share alpha along the axes without a fixed size, for instance `shared_axes=[1]`"
        return tuple(
            1 if axis in shared else static(size, "the alpha of `PReLU`", x, argument="shared_axes", help=help)
            for axis, size in enumerate(x.features, 1)
        )

    def weights(self, x: TensorType) -> list[Weight]:
        alpha = Weight(
            "alpha",
            self._shape(x),
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        return [alpha]

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        x = x if isinstance(x, code.Name) else t.let(x, "z")
        alpha = t.parameter("alpha")
        if t.first and t.inputs[0].rank > 2:
            alpha = code.method(alpha, "movedim", -1, 0)
        negative = code.binary("*", alpha, code.call("F.relu", code.Unary("-", x)))
        # Not F.prelu, whose gradient at exactly 0 is alpha.
        return code.binary("-", code.call("F.relu", x), negative)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        if not k.last:
            return k.call(self, x)
        # alpha has the order of axes of the file, so the tensor goes back to it and forth again.
        order = tuple(range(1, k.inputs[0].rank))
        there = code.call(code.call("layers.Permute", (order[-1], *order[:-1])), x)
        return code.call(code.call("layers.Permute", (*order[1:], 1)), k.call(self, there))


@entry("layer")
class Softmax(Pointwise):
    """`exp(x) / sum(exp(x))` over an axis, or over several at once: probabilities that sum to 1.

    Any shape. It does not take a masked value (Keras compares the mask with the features): there
    `Activation(softmax)` is what is meant.

    Example:
        scores -> Softmax(axis=1)
    """

    axis = arg(Either(Int(), ListOf(Int(), least=1)), "The axis, or a list of axes.", -1)

    @property
    def axes(self) -> tuple[int, ...]:
        return self.axis if isinstance(self.axis, tuple) else (self.axis,)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, "Softmax")
        positions = [feature_axis(axis, x, "Softmax", "axis") for axis in self.axes]
        if len(set(positions)) != len(positions):
            raise ShapeError("`Softmax` is given an axis twice", code="NN0308", argument="axis")
        if x.mask:
            raise ShapeError(
                f"`Softmax` cannot take the mask that comes with {show_shape(x.features)}",
                help="write `Activation(softmax)`, which lets the mask pass",
            )
        return x

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if self.axes == (-1,):  # the activation, which a cross-entropy may leave out to train from logits
            return t.activate(make("activation", "softmax"), x)
        axes = tuple(t.axis(axis) for axis in self.axes)
        if len(axes) == 1:
            return code.call("F.softmax", x, dim=axes[0])
        x = x if isinstance(x, code.Name) else t.let(x, "z")
        total = code.call("torch.logsumexp", x, dim=axes, keepdim=True)
        return code.call("torch.exp", code.binary("-", x, total))

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        if not k.last:
            return k.call(self, x)
        axes = [k.axis(axis) for axis in self.axes]
        return k.call(self, x, axis=axes if len(axes) > 1 else axes[0])
