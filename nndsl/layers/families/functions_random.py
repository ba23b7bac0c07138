"""Random numbers: random_normal, random_uniform.

They are drawn anew at every call, in training and in prediction, from the generator that the seed of the program sets.
"""

from __future__ import annotations

from typing import ClassVar

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.aligning import of_floats
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.function import Function
from nndsl.layers.kinds import Float
from nndsl.layers.shapes import Check


class Draw(Function):
    """Base of the random functions: as many numbers as `like` has, of its dtype."""

    operands = ("like",)
    draws = True
    keras_class: ClassVar[str] = ""

    def infer(self, check: Check, like: TensorType) -> TensorType:
        of_floats(self, like)
        return like

    def keras(self, k: KerasCall, like: code.Expr) -> code.Expr:
        return code.call(code.call(k.helper(self.keras_class), **self.changed()), like)


@entry("function")
class RandomNormal(Draw):
    """Normal random numbers, in the shape of another tensor.

    Example:
        mu + exp(0.5 * logvar) * random_normal(like=mu)
    """

    keras_class = "NormalNoise"
    mean = arg(Float(), "Their mean.", 0.0)
    stddev = arg(Float(0), "Their standard deviation.", 1.0)

    def torch(self, t: TorchCall, like: code.Expr) -> code.Expr:
        drawn: code.Expr = code.call("torch.randn_like", like)
        if self.stddev != 1:
            drawn = code.binary("*", self.stddev, drawn)
        return code.binary("+", self.mean, drawn) if self.mean else drawn


@entry("function")
class RandomUniform(Draw):
    """Random numbers from `min` to `max`, each as likely as another, in the shape of another tensor.

    Example:
        x + random_uniform(like=x, min=-0.1, max=0.1)
    """

    keras_class = "UniformNoise"
    min = arg(Float(), "The smallest.", 0.0)
    max = arg(Float(), "The end, not included.", 1.0)

    def check(self) -> None:
        if self.min >= self.max:
            raise ConfigError("`min` of `random_uniform` must be less than `max`", "min", "max", help="swap them")

    def torch(self, t: TorchCall, like: code.Expr) -> code.Expr:
        drawn: code.Expr = code.call("torch.rand_like", like)
        width = self.max - self.min
        if width != 1:
            drawn = code.binary("*", width, drawn)
        return code.binary("+", self.min, drawn) if self.min else drawn
