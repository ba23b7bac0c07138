"""Regularization: SpatialDropout1D, SpatialDropout2D, SpatialDropout3D, AlphaDropout, GaussianNoise, GaussianDropout,
ActivityRegularization."""

from __future__ import annotations

from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import OMIT, KerasCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import DataFormat, Float, Int, Maybe
from nndsl.layers.noise_shape import need_noise_shape, noise_shape, shared_axes
from nndsl.layers.shapes import Check, need_float, need_rank

# Declared once for all of them.
rate = arg(Float(0, 1, below=True), "The share that is dropped.", formerly=("p",))
seed = arg(Maybe(Int(0)), "Starts a random stream of the layer's own; `none` takes the program's.", None)
data_format = arg(DataFormat, "Order of the axes; by default the model's option.", None)


class Regularization(Layer):
    """Base of the layers that keep shape and mask, and do nothing outside of training."""

    layout = "any"

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, self.title())
        return x

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]


class SpatialDropout(Regularization):
    """Base of the dropouts of whole channels."""

    axes: ClassVar[int]  # how many axes there are beside batch and channels
    rate: float
    seed: int | None

    @property
    def trainable(self) -> bool:
        """Always true: there is nothing to train, and Keras's layer takes no such argument."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        pass

    @property
    def first(self) -> bool:
        """Whether the file has the channels first."""
        return getattr(self, "data_format", None) == "channels_first"

    def infer(self, check: Check, x: TensorType) -> TensorType:
        names = {1: ["steps"], 2: ["height", "width"], 3: ["depth", "height", "width"]}[self.axes]
        axes = ["channels", *names] if self.first else [*names, "channels"]
        need_rank(x, self.axes + 2, self.title(), f"[{', '.join(axes)}]")
        return super().infer(check, x)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        channels = t.axis(1 if self.first else -1) % t.inputs[0].rank
        shared = tuple(axis for axis in range(1, t.inputs[0].rank) if axis != channels)
        if self.seed is not None:
            made = code.call(t.helper("SeededDropout"), self.rate, seed=self.seed, axes=shared)
            return code.call(t.module(made), x)
        if channels == 1:
            return code.call(t.module(code.call(f"nn.Dropout{self.axes}d", self.rate)), x)
        return code.call(t.helper("shared_dropout"), x, self.rate, shared, t.training)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, data_format="channels_first" if self.first and not k.last else OMIT)

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, data_format="channels_first" if self.first and not k.last else OMIT)


@entry("layer")
class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels of a sequence (Tompson et al., 2014): a channel is kept or dropped at all steps alike.

    Takes [steps, channels]; does nothing outside of training. A mask passes through.

    Example:
        words -> Embedding(10000, 64) -> SpatialDropout1D(0.2)
    """

    axes = 1
    rate = rate
    seed = seed

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return code.call(code.Name(k.variable) if k.variable else self.keras_layer(k), x)

    def keras_layer(self, k: KerasCall) -> code.Expr:
        if not k.last:
            return k.build(self)
        # Keras's own layer takes the last axis for the channels, which the file's last axis is not here.
        options = {} if self.seed is None else {"seed": self.seed}
        return code.call("layers.Dropout", self.rate, noise_shape=(None, None, 1), **options, name=k.name)


@entry("layer")
class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels of an image: a channel is kept or dropped at all places alike.

    Takes [height, width, channels]; does nothing outside of training.

    Example:
        image -> Conv2D(32, 3) -> SpatialDropout2D(0.2)
    """

    axes = 2
    rate = rate
    data_format = data_format
    seed = seed


@entry("layer")
class SpatialDropout3D(SpatialDropout):
    """Dropout of whole channels of a volume: a channel is kept or dropped at all places alike.

    Takes [depth, height, width, channels]; does nothing outside of training.

    Example:
        scan -> Conv3D(8, 3) -> SpatialDropout3D(0.2)
    """

    axes = 3
    rate = rate
    data_format = data_format
    seed = seed


@entry("layer")
class GaussianNoise(Regularization):
    """Adds normal noise while training.

    Any shape; a mask passes through. Both targets draw from the same distribution, not the same numbers.

    Example:
        x -> GaussianNoise(0.1) -> Dense(64)
    """

    stddev = arg(Float(0, 1), "Standard deviation of the noise.", formerly=("sigma",))
    seed = seed

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return _seeded(self, t, x, self.stddev)


@entry("layer")
class GaussianDropout(Regularization):
    """Multiplies by normal noise around 1 while training, with deviation sqrt(rate / (1 - rate)).

    Any shape; a mask passes through. Both targets draw from the same distribution, not the same numbers.

    Example:
        x -> Dense(64, activation=relu) -> GaussianDropout(0.2)
    """

    rate = arg(Float(0, 1, below=True), "How loud the noise is: as that of a dropout of this rate.", formerly=("p",))
    seed = seed

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return _seeded(self, t, x, self.rate)


@entry("layer")
class AlphaDropout(Regularization):
    """Dropout for networks with SELU (Klambauer et al., 2017): while training a dropped value becomes SELU's lowest
    one, and all are scaled and shifted so that mean and variance stay.

    Any shape; a mask passes through. `noise_shape` is that of `Dropout`. Both targets draw from the same distribution,
    not the same numbers.

    Example:
        x -> Dense(64, activation=selu, kernel_initializer=lecun_normal) -> AlphaDropout(0.1)
    """

    rate = rate
    noise_shape = noise_shape
    seed = seed

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_noise_shape(check, x, self.noise_shape)
        return super().infer(check, x)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        axes = shared_axes(t, self.noise_shape)
        return _seeded(self, t, x, self.rate, **({"axes": axes} if axes else {}))

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return code.call(code.Name(k.variable) if k.variable else self.keras_layer(k), x)

    def keras_layer(self, k: KerasCall) -> code.Expr:
        shared = [axis for axis, size in enumerate(self.noise_shape or ()) if size == 1]
        if not shared:
            return k.build(self, noise_shape=OMIT)
        axes = tuple(sorted(k.axis(axis) % k.inputs[0].rank for axis in shared))
        options = {} if self.seed is None else {"seed": self.seed}
        return code.call(k.helper("SharedAlphaDropout"), self.rate, axes, **options, name=k.name)


def _seeded(layer: Any, t: TorchCall, x: code.Expr, size: float, **options: object) -> code.Expr:
    """The call of the helper class that bears the layer's name."""
    if layer.seed is not None:
        options["seed"] = layer.seed
    return code.call(t.module(code.call(t.helper(layer.title()), size, **options)), x)


@entry("layer")
class ActivityRegularization(Regularization):
    """Passes its input on, and adds a penalty on it to the loss: `l1` times the sum of absolute values and `l2` times
    that of squares, divided by the size of the batch.

    Any shape; a mask passes through.

    Example:
        x -> Dense(64) -> ActivityRegularization(l2=0.01)
    """

    l1 = arg(Float(0), "Weight of the absolute values.", 0.0)
    l2 = arg(Float(0), "Weight of the squares.", 0.0)

    def check(self) -> None:
        penalty = make("regularizer", "L1L2", l1=self.l1, l2=self.l2)
        self.activity_regularizer = penalty if self.l1 or self.l2 else None

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return x
