"""Functions that choose, compare and convert: where, maximum, clip, cast, ….

What is told apart by bools, and what makes bools of bools.
"""

from __future__ import annotations

from typing import ClassVar

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.aligning import broadcast, numbers_together, of_bools, of_numbers, one_dtype, show
from nndsl.layers.base import Code
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.function import Function, misfit
from nndsl.layers.kinds import Dtype, Either, Float, Int, Maybe
from nndsl.layers.shapes import Check


def resolved(dtype: str, check: Check) -> str:
    """A dtype of the file, where `float` is the model's own."""
    return check.float_dtype if dtype == "float" else dtype


@entry("function")
class Where(Function):
    """`x1` where the condition is true, `x2` elsewhere; either may be a number.

    Example:
        where(x > 0, x, 0.1 * x)
    """

    operands = ("condition", "x1", "x2")
    numbers = True
    layout = "any"

    def infer(self, check: Check, condition: TensorType, x1: TensorType, x2: TensorType) -> TensorType:
        of_bools(self, condition)
        dtype = one_dtype(self, x1, x2, first=1)
        if dtype is None:  # two numbers
            kinds = {x1.dtype, x2.dtype}
            dtype = check.float_dtype if "float32" in kinds else "int32" if "int32" in kinds else "bool"
        return broadcast(check, self, condition, x1, x2, dtype=dtype)

    def torch(self, t: TorchCall, condition: code.Expr, x1: code.Expr, x2: code.Expr) -> code.Expr:
        dtype = t.results[0].dtype
        numbers = all(x.weak for x in t.inputs[1:])
        if numbers and dtype == "int32":
            return code.method(code.call("torch.where", condition, x1, x2), "int")
        if numbers and dtype not in ("float32", "bool"):  # torch takes fractions for float32
            condition = condition if isinstance(condition, code.Name) else t.let(condition, "condition")
            full = code.call("torch.full_like", condition, x2, dtype=code.dotted(f"torch.{dtype}"))
            return code.method(full, "masked_fill", condition, x1)
        return code.call("torch.where", condition, x1, x2)


class Extreme(Function):
    """Base of maximum and minimum."""

    operands = ("x1", "x2")
    numbers = True
    layout = "any"
    bound = ""  # of torch's clamp
    sign = ""

    def infer(self, check: Check, x1: TensorType, x2: TensorType) -> TensorType:
        return numbers_together(check, self, x1, x2)

    def torch(self, t: TorchCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        first, second = t.inputs
        if second.weak:
            return code.method(x1, "clamp", **{self.bound: x2})
        if first.weak:  # where both are equal the number wins: no gradient
            return code.call("torch.where", code.binary(self.sign, x2, x1), x2, x1)
        return code.call(t.helper(self.title()), x1, x2)


@entry("function")
class Maximum(Extreme):
    """The larger of two, element by element. Where both are equal the gradient goes to the first.

    Example:
        maximum(x, 0)
    """

    bound = "min"
    sign = ">"


@entry("function")
class Minimum(Extreme):
    """The smaller of two, element by element. Where both are equal the gradient goes to the first.

    Example:
        minimum(a, b)
    """

    bound = "max"
    sign = "<"


@entry("function")
class Clip(Function):
    """Values below `x_min` become `x_min`, those above `x_max` become `x_max`.

    Example:
        clip(x, -1, 1)
    """

    layout = "any"
    x_min = arg(Either(Int(), Float()), "The smallest value of the result.")
    x_max = arg(Either(Int(), Float()), "The largest value of the result.")

    def check(self) -> None:
        if self.x_min > self.x_max:
            raise ConfigError(
                f"`x_min` is {self.x_min}, more than `x_max`, {self.x_max}", "x_min", "x_max",
                help="the smaller one comes first: `clip(x, -1, 1)`",
            )  # fmt: skip

    def infer(self, check: Check, x: TensorType) -> TensorType:
        of_numbers(self, x)
        for name in ("x_min", "x_max"):
            if not x.is_float and isinstance(getattr(self, name), float):
                raise misfit(
                    f"`clip` gets {show(x)}, and `{name}` is no whole number", name, 0, code="NN0305",
                    help="write whole numbers, or convert the tensor: `cast({0}, float)`",
                )  # fmt: skip
        return x

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.method(x, "clamp", self.x_min, self.x_max)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return code.call("keras.ops.clip", x, self.x_min, self.x_max)


@entry("function")
class Cast(Function):
    """The tensor with another dtype. Fractions are cut off on the way to integers; of a number, 0 alone is false.

    Example:
        cast(ids, float)
    """

    layout = "any"
    dtype = arg(Dtype(), "The dtype of the result; `float` is that of the model.")
    target: str

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.target = resolved(self.dtype, check)
        return TensorType(x.shape, self.target, batched=x.batched)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.method(x, "to", code.dotted(f"torch.{self.target}"))

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return code.call("keras.ops.cast", x, self.target)


class OfBools(Function):
    """Base of the functions of bools."""

    operands: ClassVar[tuple[str, ...]] = ("x1", "x2")
    layout = "any"

    def infer(self, check: Check, *operands: TensorType) -> TensorType:
        of_bools(self, *operands)
        return broadcast(check, self, *operands, dtype="bool")

    def torch(self, t: TorchCall, *operands: code.Expr) -> code.Expr:
        return code.call(f"torch.{self.title()}", *operands)


@entry("function")
class LogicalAnd(OfBools):
    """Whether both are true.

    Example:
        logical_and(x > 0, x < 1)
    """


@entry("function")
class LogicalOr(OfBools):
    """Whether at least one of the two is true.

    Example:
        logical_or(x < 0, x > 1)
    """


@entry("function")
class LogicalNot(OfBools):
    """Whether it is not true.

    Example:
        logical_not(x > 0)
    """

    operands = ("x",)


class Like(Function):
    """Base of zeros_like and ones_like."""

    layout = "any"
    dtype = arg(Maybe(Dtype()), "The dtype of the result; `none` for that of `x`.", None)
    target: str

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.target = resolved(self.dtype, check) if self.dtype else x.dtype
        return TensorType(x.shape, self.target, batched=x.batched)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        more = {"dtype": code.dotted(f"torch.{self.target}")} if self.dtype else {}
        return code.call(f"torch.{self.title()}", x, **more)

    def keras(self, k: KerasCall, x: code.Expr) -> Code:
        return code.call(f"keras.ops.{self.title()}", x, **({"dtype": self.target} if self.dtype else {}))


@entry("function")
class ZerosLike(Like):
    """Zeros, as many as x has elements.

    Example:
        zeros_like(x)
    """


@entry("function")
class OnesLike(Like):
    """Ones, as many as x has elements.

    Example:
        ones_like(x)
    """
