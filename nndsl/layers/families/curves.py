"""Activations other than relu's kin and those along an axis: sigmoids, tanh, softplus, shrinking ….

As in activations.py, PyTorch's own function where value and gradient agree with Keras's, at the kinks too.
"""

from __future__ import annotations

from nndsl import code
from nndsl.layers.emit import TorchCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.families.activations import Activation, named
from nndsl.layers.kinds import Bool, Float


@entry("activation")
class gelu(Activation):
    """`x * P(X <= x)` for a standard normal `X` (Hendrycks and Gimpel, 2016): exact, unless `approximate`."""

    approximate = arg(Bool(), "Whether to use the approximation with tanh.", False)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if t.float_dtype == "float64":  # TensorFlow rounds the constants to float32
            return code.call(t.helper("gelu"), x, **({"approximate": True} if self.approximate else {}))
        return code.call("F.gelu", x, **({"approximate": "tanh"} if self.approximate else {}))


@entry("activation", "swish")
class silu(Activation):
    """`x * sigmoid(x)`, also called swish (Ramachandran et al., 2017)."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.silu", x)


@entry("activation")
class mish(Activation):
    """`x * tanh(softplus(x))` (Misra, 2019)."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.mish", x)


@entry("activation")
class sigmoid(Activation):
    """`1 / (1 + exp(-x))`: a probability."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("torch.sigmoid", x)


@entry("activation")
class log_sigmoid(Activation):
    """`log(1 / (1 + exp(-x)))`"""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.logsigmoid", x)


@entry("activation")
class hard_sigmoid(Activation):
    """`x/6 + 0.5` cut to 0 … 1. (Before Keras 3 it was `0.2 * x + 0.5`.)"""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return _hard_sigmoid(t, x)


def _hard_sigmoid(t: TorchCall, x: code.Expr) -> code.Expr:
    if t.float_dtype == "float64":  # the gradient of F.hardsigmoid knows 1/6 to float32 only
        return code.binary("/", code.call("F.relu6", code.binary("+", x, 3)), 6)
    return code.call("F.hardsigmoid", x)


@entry("activation", "hard_swish")
class hard_silu(Activation):
    """`x * hard_sigmoid(x)`, also called hard_swish (Howard et al., 2019)."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        x = named(t, x)  # not F.hardswish, whose gradient at exactly -3 and 3 differs
        return code.binary("*", x, _hard_sigmoid(t, x))


@entry("activation")
class tanh(Activation):
    """Hyperbolic tangent: -1 … 1."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("torch.tanh", x)


@entry("activation")
class hard_tanh(Activation):
    """`x` cut to -1 … 1."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.method(x, "clamp", -1.0, 1.0)  # not F.hardtanh, whose gradient at exactly -1 and 1 is 0


@entry("activation")
class tanh_shrink(Activation):
    """`x - tanh(x)`"""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.tanhshrink", x)


@entry("activation")
class soft_shrink(Activation):
    """`x` moved towards 0 by `threshold`, 0 in between."""

    threshold = arg(Float(0), "How far values move.", 0.5)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.softshrink", x, **({} if self.threshold == 0.5 else {"lambd": self.threshold}))


@entry("activation")
class hard_shrink(Activation):
    """`x` where `|x| > threshold`, 0 elsewhere."""

    threshold = arg(Float(0), "Values up to here become 0.", 0.5)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.hardshrink", x, **({} if self.threshold == 0.5 else {"lambd": self.threshold}))


@entry("activation")
class threshold(Activation):
    """`x` where `x > threshold`, `default_value` elsewhere: `threshold(1.0, 0.0)`."""

    threshold = arg(Float(), "Values above it are kept.")
    default_value = arg(Float(), "Takes the place of the others.")

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.threshold", x, self.threshold, self.default_value)


@entry("activation")
class softplus(Activation):
    """`log(1 + exp(x))`: a smooth relu."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        # F.softplus is `x` itself above its threshold of 20, which is exact in float32 but not in float64.
        return code.call("F.softplus", x, **({"threshold": 40.0} if t.float_dtype == "float64" else {}))


@entry("activation")
class softsign(Activation):
    """`x / (1 + |x|)`"""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("F.softsign", x)


@entry("activation")
class squareplus(Activation):
    """`(x + sqrt(x**2 + b)) / 2` (Barron, 2021)."""

    b = arg(Float(0), "Smoothness at 0.", 4.0)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        x = named(t, x)
        inner = code.binary("+", code.call("torch.square", x), self.b)
        return code.binary("/", code.binary("+", x, code.call("torch.sqrt", inner)), 2)


@entry("activation")
class sparse_plus(Activation):
    """0 up to -1, `(x + 1)**2 / 4` up to 1, `x` above."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call(t.helper("sparse_plus"), x)


@entry("activation")
class sparse_sigmoid(Activation):
    """`(x + 1) / 2` cut to 0 … 1 (Blondel et al., 2019)."""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.binary("/", code.binary("+", code.call("F.hardtanh", x), 1), 2)


@entry("activation")
class exponential(Activation):
    """`exp(x)`"""

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call("torch.exp", x)
