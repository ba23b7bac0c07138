"""Functions of each element: exp, log, sqrt, ….

As in activations.py: PyTorch's own function where value and gradient agree with Keras's.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.aligning import of_floats, of_numbers
from nndsl.layers.emit import TorchCall
from nndsl.layers.entry import entry
from nndsl.layers.function import Function
from nndsl.layers.shapes import Check

_OF_NUMBERS: dict[str, Callable[..., float]] = {
    "exp": math.exp, "expm1": math.expm1, "log": math.log, "log1p": math.log1p, "sqrt": math.sqrt, "sin": math.sin,
    "cos": math.cos, "erf": math.erf, "abs": abs, "floor": math.floor, "ceil": math.ceil, "round": round,
}  # fmt: skip


class Elementwise(Function):
    """Base of the functions of each element of a tensor of floats."""

    layout = "any"
    numbers = True

    def infer(self, check: Check, x: TensorType) -> TensorType:
        of_floats(self, x)
        return x

    @classmethod
    def folds(cls) -> Callable[..., float] | None:
        return _OF_NUMBERS.get(cls.title())

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.call(f"torch.{self.title()}", x)


@entry("function")
class Exp(Elementwise):
    """e to the power of x.

    Example:
        exp(x)
    """


@entry("function")
class Expm1(Elementwise):
    """`exp(x) - 1`, exact for small x.

    Example:
        expm1(x)
    """


@entry("function")
class Log(Elementwise):
    """Natural logarithm.

    Example:
        log(x)
    """


@entry("function")
class Log1p(Elementwise):
    """`log(1 + x)`, exact for small x.

    Example:
        log1p(x)
    """


@entry("function")
class Sqrt(Elementwise):
    """Square root.

    Example:
        sqrt(x)
    """


@entry("function")
class Rsqrt(Elementwise):
    """`1 / sqrt(x)`

    Example:
        rsqrt(x)
    """


@entry("function")
class Sin(Elementwise):
    """Sine.

    Example:
        sin(x)
    """


@entry("function")
class Cos(Elementwise):
    """Cosine.

    Example:
        cos(x)
    """


@entry("function")
class Erf(Elementwise):
    """Error function.

    Example:
        erf(x)
    """


class OfNumbers(Elementwise):
    """Base of those that take whole numbers too."""

    def infer(self, check: Check, x: TensorType) -> TensorType:
        of_numbers(self, x)
        return x


@entry("function", "absolute")
class Abs(OfNumbers):
    """The number without its sign.

    Example:
        abs(x)
    """


@entry("function")
class Square(OfNumbers):
    """`x * x`

    Example:
        square(x)
    """


@entry("function")
class Sign(OfNumbers):
    """-1, 0 or 1. Its gradient is 0.

    Example:
        sign(x)
    """


@entry("function")
class Floor(Elementwise):
    """Rounded down. Its gradient is 0.

    Example:
        floor(x)
    """


@entry("function")
class Ceil(Elementwise):
    """Rounded up. Its gradient is 0.

    Example:
        ceil(x)
    """


@entry("function")
class Round(Elementwise):
    """Rounded to the nearest whole number, halves to the even one. Its gradient is 0.

    Example:
        round(x)
    """
