"""Dense, Activation, Dropout, Identity, Flatten."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.dims import Dim, product
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer, Weight
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.emit_keras import OMIT, KerasCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Activation as ActivationKind
from nndsl.layers.kinds import Bool, Constraint, DataFormat, Float, Initializer, Int, Maybe, Of, Regularizer
from nndsl.layers.noise_shape import moved_noise_shape, need_noise_shape, noise_shape, shared_axes
from nndsl.layers.shapes import Check, ShapeError, need_float, static


@entry("layer")
class Dense(Layer):
    """Fully connected layer over the last axis: `activation(x @ kernel + bias)`.

    Takes any rank; every axis but the last is kept: [20, 8] gives [20, units]. A mask passes through.
    Weights: kernel [in, units], bias [units].

    Example:
        x -> Dense(64, activation=relu)
    """

    units = arg(Int(1), "Size of the output's last axis.", formerly=("output_dim",))
    activation = arg(ActivationKind, "Applied to the result.", None)
    use_bias = arg(Bool(), "Whether a bias is added.", True, formerly=("bias",))
    kernel_initializer = arg(Initializer, "Fills the kernel.", "glorot_uniform", formerly=("init",))
    bias_initializer = arg(Initializer, "Fills the bias.", "zeros")
    kernel_regularizer = arg(
        Regularizer, "Adds a penalty on the kernel to the loss.", None, formerly=("W_regularizer",)
    )
    bias_regularizer = arg(Regularizer, "Adds a penalty on the bias to the loss.", None, formerly=("b_regularizer",))
    activity_regularizer = arg(Regularizer, "Adds a penalty on the output to the loss.", None)
    kernel_constraint = arg(Constraint, "Holds the kernel to a set after each step.", None, formerly=("W_constraint",))
    bias_constraint = arg(Constraint, "Holds the bias to a set after each step.", None, formerly=("b_constraint",))

    def infer(self, check: Check, x: TensorType) -> TensorType:
        if x.rank < 2:
            raise ShapeError(
                "`Dense` needs a feature axis, and gets one number per sample",
                code="NN0301",
                help="declare the input as `float[1]`, or put `Reshape((1,))` before it",
            )
        need_float(x, "Dense")
        static(x.last, "the kernel of `Dense`", x)
        return x.with_last(self.units)

    def weights(self, x: TensorType) -> list[Weight]:
        size = static(x.last, "the kernel of `Dense`", x)
        kernel = Weight(
            "kernel",
            (size, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        bias = Weight(
            "bias",
            (self.units,),
            self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )
        return [kernel, bias] if self.use_bias else [kernel]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        return product(inputs[0].features) * self.units

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        options = {} if self.use_bias else {"bias": False}
        weights = [TorchWeight("weight", "kernel", (("permute", (1, 0)),))]
        if self.use_bias:
            weights.append(TorchWeight("bias", "bias"))
        linear = t.module(code.call("nn.Linear", t.inputs[0].last, self.units, **options), *weights)
        return t.activate(self.activation, code.call(linear, x))


@entry("layer")
class Activation(Layer):
    """Applies an activation: `x -> Activation(relu)`.

    Any shape; a mask passes through. `nndsl layers` lists the activations.

    Example:
        x -> Dense(64) -> Activation(tanh)
    """

    layout = "any"
    activation = arg(Of("activation"), "The activation.")

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, "Activation")
        shape: TensorType = self.activation.shape(x)
        return shape

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return t.activate(self.activation, x)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        activation = self.activation.keras(k.axis)
        if not self.activation.keeps_shape:  # a Keras layer would announce the shape of its input
            function = code.dotted(f"keras.activations.{type(self.activation).__name__}")
            return code.Call(function, (x,), activation.kwargs if isinstance(activation, code.Call) else ())
        return k.call(self, x, activation=activation)


@entry("layer")
class Dropout(Layer):
    """Sets a share `rate` of the inputs to zero while training, and scales the others by 1/(1 - rate).

    Does nothing outside of training. Any shape; a mask passes through. `noise_shape=(none, 1, none)` drops the same
    features at every step of a sequence, `(none, 1, 1, 1)` whole samples. Both targets draw from the same
    distribution, not the same numbers.

    Example:
        x -> Dropout(0.2)
    """

    layout = "any"
    rate = arg(Float(0, 1, below=True), "The share that is dropped.", formerly=("p",))
    noise_shape = noise_shape
    seed = arg(Maybe(Int(0)), "Starts a random stream of the layer's own; `none` takes the program's.", None)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, "Dropout")
        need_noise_shape(check, x, self.noise_shape)
        return x

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        axes = shared_axes(t, self.noise_shape)
        if self.seed is not None:
            options = {"axes": axes} if axes else {}
            return code.call(t.module(code.call(t.helper("SeededDropout"), self.rate, seed=self.seed, **options)), x)
        if axes:
            return code.call(t.helper("shared_dropout"), x, self.rate, axes, t.training)
        return code.call(t.module(code.call("nn.Dropout", self.rate)), x)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, **moved_noise_shape(k, self.noise_shape))

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, **moved_noise_shape(k, self.noise_shape))


@entry("layer")
class Identity(Layer):
    """Passes its input on unchanged: the plain arm of a residual `branch`.

    Any shape and dtype; a mask passes through.

    Example:
        x -> branch { Dense(8); Identity() } -> Add()
    """

    layout = "any"

    def infer(self, check: Check, x: TensorType) -> TensorType:
        return x

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return x


@entry("layer")
class Flatten(Layer):
    """Flattens all axes but the batch into one, in the channels-last order of Keras: [4, 4, 8] gives [128].

    With `data_format=channels_first` the channels are moved last before, so that the result is the same. Over a free
    dimension `T` the result is a formula, `8 * T`. A mask ends here.

    Example:
        image -> Flatten() -> Dense(10)
    """

    layout = "last"
    data_format = arg(DataFormat, "Order of the axes; the result is in channels-last order either way.", None)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        return x.with_shape(product(x.features))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if t.inputs[0].rank == 1:
            return code.method(x, "unsqueeze", 1)
        if self.data_format == "channels_first" and t.inputs[0].rank > 2:
            x = code.method(x, "movedim", 1, -1)
        return code.method(x, "flatten", 1)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        # The model's option is no argument of the call: Keras has to be told of it.
        first = self.data_format == "channels_first" and not k.last and k.inputs[0].rank > 2
        return k.call(self, x, data_format="channels_first" if first else OMIT)
