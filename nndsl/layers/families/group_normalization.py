"""Normalization: GroupNormalization, RMSNormalization, UnitNormalization."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.dims import product
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer, Weight
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.normalization import (
    Normalization,
    beta_constraint,
    beta_initializer,
    beta_regularizer,
    center,
    epsilon,
    gamma_constraint,
    gamma_initializer,
    gamma_regularizer,
    scale,
)
from nndsl.layers.kinds import Either, Float, Int, ListOf
from nndsl.layers.shapes import Check, ShapeError, need_float, resolve_axis, static


@entry("layer")
class GroupNormalization(Normalization):
    """Brings each group of channels of a sample to mean 0 and variance 1 (Wu and He, 2018).

    `groups=-1` makes every channel a group of its own (instance normalization), `groups=1` takes all together. Keeps
    the shape, and the mask goes on. Weights: gamma and beta, of the size of `axis`.

    Example:
        image -> Conv2D(64, 3) -> GroupNormalization(8) -> ReLU()
    """

    layout = "any"
    groups = arg(Int(-1), "The number of groups, which must divide the channels; -1 for a group each.", 32)
    axis = arg(Int(), "The axis that is cut into groups: the channels.", -1)
    epsilon = epsilon
    center = center
    scale = scale
    beta_initializer = beta_initializer
    gamma_initializer = gamma_initializer
    beta_regularizer = beta_regularizer
    gamma_regularizer = gamma_regularizer
    beta_constraint = beta_constraint
    gamma_constraint = gamma_constraint

    def check(self) -> None:
        if self.groups == 0:
            raise ConfigError("`groups` is a positive integer, or -1 for a group each", "groups", code="NN0206")

    def size(self, x: TensorType) -> int:
        axis = resolve_axis(self.axis, x, self.title())
        help = "`axis` must be an axis of known size: the channels"
        if axis == 0:
            help = f"`axis` is the axis of the channels; axis {self.axis} is the batch"
        return static(x.shape[axis], "the weights of `GroupNormalization`", x, argument="axis", help=help)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, self.title())
        if x.rank < 2:  # Keras builds it, and fails in the call
            raise ShapeError(
                f"`{self.title()}` needs an axis of channels, and gets one number per sample",
                code="NN0301",
                help="declare the input as `float[1]`, or put `Reshape((1,))` before it",
            )
        size = self.size(x)
        if size % self.groups:
            fitting = [count for count in range(min(size, self.groups), 0, -1) if size % count == 0]
            raise ShapeError(
                f"`{self.title()}` cannot cut {size} channels into {self.groups} groups of one size",
                code="NN0309",
                argument="groups",
                help=f"`groups` must divide {size}, for instance `groups={fitting[0]}`",
            )
        return x

    def weights(self, x: TensorType) -> list[Weight]:
        return self.affine((self.size(x),))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        size, rank = self.size(t.inputs[0]), t.inputs[0].rank
        groups = size if self.groups == -1 else self.groups
        dim = t.axis(self.axis) % rank
        if dim != 1:
            x = code.method(x, "movedim", dim, 1)
        result = self._normalized(t, x, groups, size)
        return result if dim == 1 else code.method(result, "movedim", 1, dim)

    def _normalized(self, t: TorchCall, x: code.Expr, groups: int, size: int) -> code.Expr:
        beside = product(t.inputs[0].features)
        if (self.scale or self.center) and t.inputs[0].rank > 3 and not t.learned:
            # torch 2.13 crashes in the gradients of gamma and beta where images lie channels last in memory and need
            # no gradient themselves.
            x = code.method(x, "contiguous")
        if self.scale == self.center and beside != groups:  # one number alone nn.GroupNorm refuses
            options: dict[str, object] = {"eps": self.epsilon} if self.scale else {"eps": self.epsilon, "affine": False}
            usual = not {"gamma_initializer", "beta_initializer"} & set(self.given)
            module = t.module(code.call("nn.GroupNorm", groups, size, **options), *self.affine_in_torch(), filled=usual)
            return code.call(module, x)
        weight = t.parameter("gamma") if self.scale else None
        bias: code.Expr | None = t.parameter("beta") if self.center else None
        if weight is None and bias is not None:  # whose gradient torch 2.13 cannot compute on a CPU
            behind = t.inputs[0].rank - 2
            bias = code.index(bias, code.Slice(), *(None,) * behind) if behind else bias
            return code.binary("+", code.call("F.group_norm", x, groups, eps=self.epsilon), bias)
        return code.call("torch.group_norm", x, groups, weight, bias, self.epsilon)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, axis=k.axis(self.axis))

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, axis=k.axis(self.axis))


@entry("layer")
class RMSNormalization(Layer):
    """Divides by the root of the mean square over the last axis, and multiplies by learned factors (Zhang and Sennrich,
    2019).

    Keeps the shape; a mask ends here, as in Keras. Several axes must be the last ones.
    Weights: scale, of the sizes of the axes.

    Example:
        x -> RMSNormalization() -> Dense(64)
    """

    axis = arg(Either(Int(), ListOf(Int(), least=1)), "The last axis, or the last axes.", -1)
    epsilon = arg(Float(0), "Added to the mean square, so that nothing is divided by 0.", 1e-6)

    def shape(self, x: TensorType) -> tuple[int, ...]:
        given = sorted((self.axis,) if isinstance(self.axis, int) else self.axis)
        positions = [resolve_axis(axis, x, self.title()) for axis in given]
        count = len(positions)
        if positions != list(range(x.rank - count, x.rank)) or count == x.rank:
            raise ShapeError(
                f"`{self.title()}` normalizes over the last axis or axes, and `axis={self.axis}` names others",
                code="NN0308",
                argument="axis",
                help="Keras multiplies by its weights along the last axes; `Permute` can bring another axis there",
            )
        what = "the scale of `RMSNormalization`"
        return tuple(static(x.shape[axis], what, x, argument="axis") for axis in positions)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, self.title())
        self.shape(x)
        return x

    def weights(self, x: TensorType) -> list[Weight]:
        return [Weight("scale", self.shape(x), make("initializer", "ones"))]

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        shape = self.shape(t.inputs[0])
        size = shape[0] if len(shape) == 1 else shape
        constructor = code.call("nn.RMSNorm", size, eps=self.epsilon)
        return code.call(t.module(constructor, TorchWeight("weight", "scale"), filled=True), x)


@entry("layer")
class UnitNormalization(Layer):
    """Scales to length 1: divides by the root of the sum of squares over an axis or several.

    Keeps the shape, and the mask goes on. What is 0 everywhere stays 0.

    Example:
        x -> Dense(64) -> UnitNormalization()
    """

    layout = "any"
    axis = arg(Either(Int(), ListOf(Int(), least=1)), "The axis or axes whose length becomes 1.", -1)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, self.title())
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        positions = {resolve_axis(axis, x, self.title()) for axis in axes}
        if len(positions) < len(axes):
            raise ShapeError(f"`{self.title()}` is given an axis twice", code="NN0308", argument="axis")
        return x

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if isinstance(self.axis, int) or len(self.axis) == 1:
            axis = self.axis if isinstance(self.axis, int) else self.axis[0]
            return code.call("F.normalize", x, **({} if t.axis(axis) == 1 else {"dim": t.axis(axis)}))
        x = x if isinstance(x, code.Name) else t.let(x, "z")
        dims = tuple(t.axis(axis) for axis in self.axis)
        length = t.let(code.call("torch.linalg.vector_norm", x, dim=dims, keepdim=True), "length")
        return code.binary("/", x, code.method(length, "clamp_min", 1e-12))

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, axis=self._keras_axis(k))

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, axis=self._keras_axis(k))

    def _keras_axis(self, k: KerasCall) -> object:
        return k.axis(self.axis) if isinstance(self.axis, int) else [k.axis(axis) for axis in self.axis]
