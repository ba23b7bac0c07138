"""Reductions: sum, mean, max, … over some axes or all."""

from __future__ import annotations

from typing import ClassVar

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.layers.aligning import of_bools, of_floats, of_numbers
from nndsl.layers.base import Code
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.function import Function, misfit
from nndsl.layers.kinds import Bool, Either, Float, Int, ListOf, Maybe
from nndsl.layers.shapes import Check, resolve_axis

_AXES = Maybe(Either(Int(), ListOf(Int(), least=1)))
_AXIS_DOC = "The axis or axes that are reduced; 0 is the batch axis, -1 the last, `none` all of them."


class Reduction(Function):
    """Base of the reductions. Without `axis` they give one number for the whole batch."""

    axis = arg(_AXES, _AXIS_DOC, None)
    keepdims = arg(Bool(), "Whether reduced axes stay, with size 1.", False)
    whole: ClassVar[bool] = False  # whether it takes integers too

    def dtype(self, x: TensorType) -> str:
        return x.dtype

    def domain(self, x: TensorType) -> None:
        if self.whole:
            of_numbers(self, x)
        else:
            of_floats(self, x)

    def axes(self, x: TensorType) -> tuple[int, ...]:
        """The axes that are reduced, as positions, in order."""
        if self.axis is None:
            return tuple(range(x.rank))
        given = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return tuple(sorted(resolve_axis(axis, x, self.title()) for axis in given))

    def infer(self, check: Check, x: TensorType) -> TensorType:
        self.domain(x)
        axes = self.axes(x)
        if len(set(axes)) < len(axes):
            raise misfit(
                f"`{self.title()}` reduces an axis twice", "axis", 0, code="NN0308", help="name each axis once"
            )
        sizes: list[Dim] = []
        for position, size in enumerate(x.shape):
            if position not in axes:
                sizes.append(size)
            elif self.keepdims:
                sizes.append(1)
        return TensorType(tuple(sizes), self.dtype(x), batched=x.batched and 0 not in axes)

    def reduce(self, x: code.Expr, name: str, **more: object) -> code.Expr:
        """`x.name(dim=…, keepdim=…)`"""
        options: dict[str, object] = {}
        if self.axis is not None:
            options["dim"] = self.axis
        elif self.keepdims:
            options["dim"] = self._all
        if self.keepdims:
            options["keepdim"] = True
        return code.method(x, name, **options, **more)

    _all: tuple[int, ...] = ()

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        self._all = tuple(range(t.inputs[0].rank))
        return self.spell(t, x)

    def spell(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return self.reduce(x, self.title())


@entry("function")
class Sum(Reduction):
    """Sum over axes. Of bools it is the number of those that are true.

    Example:
        sum(x, axis=1)
    """

    whole = True

    def domain(self, x: TensorType) -> None:
        if x.dtype == "uint8":
            of_floats(self, x)

    def dtype(self, x: TensorType) -> str:
        return "int32" if x.dtype in ("bool", "int8", "int16") else x.dtype

    def spell(self, t: TorchCall, x: code.Expr) -> code.Expr:
        dtype = t.results[0].dtype
        more = {} if t.inputs[0].is_float or dtype == "int64" else {"dtype": code.dotted(f"torch.{dtype}")}
        return self.reduce(x, "sum", **more)


@entry("function")
class Mean(Reduction):
    """Mean over axes.

    Example:
        mean(x, axis=1, keepdims=true)
    """


@entry("function", "amax")
class Max(Reduction):
    """The largest number over axes. Where several are largest, they share the gradient.

    Example:
        max(x, axis=1)
    """

    whole = True

    def spell(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return self.reduce(x, "amax")


@entry("function", "amin")
class Min(Reduction):
    """The smallest number over axes. Where several are smallest, they share the gradient.

    Example:
        min(x, axis=1)
    """

    whole = True

    def spell(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return self.reduce(x, "amin")


@entry("function")
class Prod(Reduction):
    """Product over axes.

    Example:
        prod(x, axis=1)
    """

    def spell(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if self.axis is None and not self.keepdims:
            return code.method(x, "prod")
        options = {"keepdim": True} if self.keepdims else {}
        for axis in reversed(self.axes(t.inputs[0])):  # torch multiplies along one axis at a time
            last = axis == t.inputs[0].rank - 1
            x = code.method(x, "prod", dim=-1 if last else axis, **options)
        return x


@entry("function")
class Var(Reduction):
    """Variance over axes, the mean of the squared distances from the mean.

    Example:
        var(x, axis=-1)
    """

    def spell(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return self.reduce(x, "var", correction=0)


@entry("function")
class Std(Reduction):
    """Standard deviation over axes, the square root of `var`.

    Example:
        std(x, axis=-1)
    """

    def spell(self, t: TorchCall, x: code.Expr) -> code.Expr:
        # not x.std(): where all numbers are equal, its gradient is not that of Keras
        return code.method(self.reduce(x, "var", correction=0), "sqrt")


@entry("function")
class Logsumexp(Reduction):
    """`log(sum(exp(x)))` over axes, computed without overflow.

    Example:
        logsumexp(x, axis=1)
    """

    def spell(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return self.reduce(x, "logsumexp") if self.axis is not None else code.method(
            x, "logsumexp", dim=self._all, **({"keepdim": True} if self.keepdims else {})
        )  # fmt: skip


class OfBools(Reduction):
    """Base of any and all."""

    def domain(self, x: TensorType) -> None:
        of_bools(self, x)


@entry("function")
class Any(OfBools):
    """Whether at least one is true over axes.

    Example:
        any(x > 0, axis=1)
    """


@entry("function")
class All(OfBools):
    """Whether all are true over axes.

    Example:
        all(x > 0, axis=1)
    """


@entry("function")
class Norm(Reduction):
    """Length of vectors: the square root of the sum of squares over axes, or another norm along one axis.

    Example:
        norm(x, axis=-1)
    """

    ord = arg(Maybe(Float(0, above=True)), "Which norm of vectors: 1, 2, …; `none` is 2.", None)
    axis = arg(_AXES, _AXIS_DOC, None)
    keepdims = arg(Bool(), "Whether reduced axes stay, with size 1.", False)
    signature = ("x", "ord", "axis", "keepdims")

    def check(self) -> None:
        if self.ord not in (None, 2.0) and not isinstance(self.axis, int):
            raise ConfigError(
                "a norm other than 2 runs along one axis", "ord", help="say which: `norm(x, ord=1, axis=-1)`"
            )

    def spell(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if self.ord in (None, 2.0):  # not linalg.vector_norm, whose gradient at 0 is not that of Keras
            return code.method(self.reduce(code.method(x, "square"), "sum"), "sqrt")
        if self.ord == 1:
            return self.reduce(code.method(x, "abs"), "sum")
        power = code.binary("**", code.method(x, "abs"), self.ord)
        return code.binary("**", self.reduce(power, "sum"), 1 / self.ord)

    def keras(self, k: KerasCall, x: code.Expr) -> Code:
        if len(self.axes(k.inputs[0])) > 2:
            options = {name: value for name, value in self.changed().items() if name != "ord"}
            return code.call("keras.ops.sqrt", code.call("keras.ops.sum", code.call("keras.ops.square", x), **options))
        return super().keras(k, x)


class Position(Function):
    """Base of argmax and argmin."""

    axis = arg(Maybe(Int()), "The axis that is searched; 0 is the batch axis, -1 the last, `none` all of them.", None)
    keepdims = arg(Bool(), "Whether the reduced axis stays, with size 1.", False)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        of_numbers(self, x)
        if self.axis is None:
            return TensorType((1,) * x.rank if self.keepdims else (), "int32", batched=False)
        axis = resolve_axis(self.axis, x, self.title())
        shape = (*x.shape[:axis], *((1,) if self.keepdims else ()), *x.shape[axis + 1 :])
        return TensorType(shape, "int32", batched=x.batched and axis != 0)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        options: dict[str, object] = {} if self.axis is None else {"dim": self.axis}
        if self.keepdims:
            options["keepdim"] = True
        return code.method(code.method(x, self.title(), **options), "int")


@entry("function")
class Argmax(Position):
    """The position of the largest number along an axis, the first where several are largest.

    Example:
        argmax(x, axis=-1)
    """


@entry("function")
class Argmin(Position):
    """The position of the smallest number along an axis, the first where several are smallest.

    Example:
        argmin(x, axis=-1)
    """
