"""Operators: signs between tensors, and slicing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from nndsl import code
from nndsl.ir.dims import Dim, ceildiv
from nndsl.ir.types import TensorType
from nndsl.layers.aligning import broadcast, numbers_together, of_numbers, one_dtype, show
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import entry
from nndsl.layers.function import Operator, misfit
from nndsl.layers.shapes import Check


class Arithmetic(Operator):
    """Base of the signs between two tensors, or a tensor and a number."""

    layout = "any"

    def infer(self, check: Check, x1: TensorType, x2: TensorType) -> TensorType:
        return numbers_together(check, self, x1, x2)

    def torch(self, t: TorchCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        return code.binary(self.title(), x1, x2)

    def keras(self, k: KerasCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        return code.binary(self.title(), x1, x2)


@entry("operator", "+")
class Plus(Arithmetic):
    """Sum, element by element.

    Example:
        x + 1
    """

    def keras(self, k: KerasCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        first, second = k.inputs
        if not _looks_like_bias(first, second):
            return code.binary("+", x1, x2)
        if not _looks_like_bias(second, first):
            return code.binary("+", x2, x1)
        return code.binary("-", x1, code.Unary("-", x2))


def _looks_like_bias(x1: TensorType, x2: TensorType) -> bool:
    """Whether `x1 + x2` could go wrong in Keras: its `add` takes a second operand with one axis greater than 1 for a
    bias where that axis has the size of axis 1 or the last axis of the first, whatever axis it stands on."""
    if x1.rank < 2 or x2.weak or not x2.rank:
        return False
    spread = [axis for axis, size in enumerate(x2.shape) if size != 1 and not (axis == 0 and x2.batched)]
    if not spread:  # in a batch of many the batch axis itself is the one
        return x2.batched and any(size != 1 for size in (x1.shape[1], x1.last))
    if len(spread) > 1:
        return False
    size = x2.shape[spread[0]]
    if not any(isinstance(other, int) != isinstance(size, int) or other == size for other in (x1.shape[1], x1.last)):
        return False
    return not (spread[0] == x2.rank - 1 and x1.last == size)


@entry("operator", "-")
class Minus(Arithmetic):
    """Difference, element by element.

    Example:
        x - mean(x, axis=-1, keepdims=true)
    """


@entry("operator", "*")
class Times(Arithmetic):
    """Product, element by element.

    Example:
        x * sigmoid(gate)
    """


@entry("operator", "/")
class Over(Arithmetic):
    """Quotient, element by element, of floats.

    Example:
        x / 255
    """

    def infer(self, check: Check, x1: TensorType, x2: TensorType) -> TensorType:
        for position, x in enumerate((x1, x2)):
            if not x.is_float and not x.weak:
                raise misfit(
                    f"`/` divides floats, and gets {show(x)}", self.operands[position], position, code="NN0305",
                    help=f"`//` divides whole numbers and rounds down; else convert it: `cast({{{position}}}, float)`",
                )  # fmt: skip
        return super().infer(check, x1, x2)


@entry("operator", "//")
class FloorOver(Arithmetic):
    """Quotient, element by element, rounded down.

    Example:
        ids // 2
    """

    def torch(self, t: TorchCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        if t.results[0].is_float:  # torch's `//` has no gradient, not even 0
            return code.method(code.binary("/", x1, x2), "floor")
        return code.binary("//", x1, x2)


@entry("operator", "%")
class Remainder(Arithmetic):
    """What is left of a division, element by element, with the sign of the divisor.

    Example:
        ids % 7
    """

    def torch(self, t: TorchCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        return super().torch(t, _held(t, x1), _held(t, x2))


def _held(t: TorchCall, x: code.Expr) -> code.Expr:
    """An operand; a fraction as Keras has it, whose `mod` takes numbers for float32."""
    return code.Literal(t.rounded(x.value)) if isinstance(x, code.Literal) and isinstance(x.value, float) else x


@entry("operator", "**")
class ToThePower(Arithmetic):
    """Power, element by element.

    Example:
        x ** 2
    """


@entry("operator", "@")
class MatrixTimes(Operator):
    """Product of matrices, as `matmul`.

    Example:
        a @ b
    """

    numbers = False

    def infer(self, check: Check, x1: TensorType, x2: TensorType) -> TensorType:
        from nndsl.layers.families.functions_products import product_of_matrices

        return product_of_matrices(check, self, x1, x2)

    def torch(self, t: TorchCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        return code.binary("@", x1, x2)

    def keras(self, k: KerasCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        return code.binary("@", x1, x2)


class Comparison(Operator):
    """Base of the comparisons, which give bools."""

    layout = "any"
    spelled: ClassVar[str] = ""  # Keras's function, where its tensors do not take the sign

    def infer(self, check: Check, x1: TensorType, x2: TensorType) -> TensorType:
        self._operands(x1, x2)
        one_dtype(self, x1, x2)
        return broadcast(check, self, x1, x2, dtype="bool")

    def _operands(self, x1: TensorType, x2: TensorType) -> None:
        of_numbers(self, x1, x2)

    def torch(self, t: TorchCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        return code.binary(self.title(), x1, x2)

    def keras(self, k: KerasCall, x1: code.Expr, x2: code.Expr) -> code.Expr:
        if self.spelled:
            return code.call(f"keras.ops.{self.spelled}", x1, x2)
        return code.binary(self.title(), x1, x2)


@entry("operator", "<")
class Less(Comparison):
    """Whether the first is less, element by element.

    Example:
        x < 0
    """


@entry("operator", "<=")
class LessEqual(Comparison):
    """Whether the first is less or equal, element by element.

    Example:
        x <= 0
    """


@entry("operator", ">")
class Greater(Comparison):
    """Whether the first is greater, element by element.

    Example:
        x > 0
    """


@entry("operator", ">=")
class GreaterEqual(Comparison):
    """Whether the first is greater or equal, element by element.

    Example:
        x >= 0
    """


@entry("operator", "==")
class Equal(Comparison):
    """Whether both are equal, element by element.

    Example:
        ids == 0
    """

    spelled = "equal"

    def _operands(self, x1: TensorType, x2: TensorType) -> None:
        """Any dtype."""


@entry("operator", "!=")
class NotEqual(Equal):
    """Whether the two differ, element by element.

    Example:
        ids != 0
    """

    spelled = "not_equal"


@entry("operator", "negative")
class Negative(Operator):
    """The number with the other sign: `-x`.

    Example:
        -x
    """

    operands = ("x",)
    layout = "any"

    def infer(self, check: Check, x: TensorType) -> TensorType:
        of_numbers(self, x)
        return x

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.Unary("-", x)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return code.Unary("-", x)

    @classmethod
    def title(cls) -> str:
        return "-"


@entry("operator", "[]")
class Part(Operator):
    """A part of a tensor: one position of an axis (`x[:, 0]`), a range (`x[:, 1:5]`, `x[:, ::2]`), or a new axis of
    size 1 (`x[:, none]`).

    Axes count as in Keras: the first is the batch axis, which is taken whole (`:`).

    Example:
        x[:, -1]
    """

    operands = ("x",)
    numbers = False
    items: Sequence[int | slice | None]

    def infer(self, check: Check, x: TensorType) -> TensorType:
        items = self.items
        taken = sum(item is not None for item in items)
        if taken > x.rank:
            raise misfit(
                f"{taken} axes are named, and {show(x)} has {x.rank}"
                + (", the batch axis counted" if x.batched else ""),
                "x", 0, code="NN0308", help="one item for each axis, the batch axis first: `x[:, 0]`",
            )  # fmt: skip
        if x.batched and items[0] != slice(None):
            what = "a new axis in front of it" if items[0] is None else "a part of it"
            raise misfit(
                f"axis 0 is the batch axis, and this takes {what}",
                "item.0", 0, code="NN0308",
                help="`:` takes every sample: write `{0}[:, …]`; `{0}[:, 0]` is the first feature of each",
            )  # fmt: skip
        shape: list[Dim] = []
        axis = 0
        for position, item in enumerate(items):
            if item is None:
                shape.append(1)
                continue
            if isinstance(item, slice):
                shape.append(self._slice(check, item, x.shape[axis], position))
            else:
                self._inside(check, item, x.shape[axis], position)
            axis += 1
        return TensorType((*shape, *x.shape[axis:]), x.dtype, batched=x.batched)

    def _inside(self, check: Check, index: int, size: Dim, position: int) -> None:
        least = index + 1 if index >= 0 else -index
        error = misfit(
            f"there is no position {index} on an axis of {size}", f"item.{position}", 0, code="NN0308",
            help="positions count from 0; -1 is the last",
        )  # fmt: skip
        if isinstance(size, int) and size < least:
            raise error
        check.at_least(size, least, error)

    def _slice(self, check: Check, item: slice, size: Dim, position: int) -> Dim:
        """How many positions a range takes. It must lie inside of the axis, and not be empty."""
        if item == slice(None):
            return size
        start, stop = (bound for bound in (item.start or 0, item.stop))
        error = misfit(
            f"`{_shown(item)}` reaches beyond an axis of {size}", f"item.{position}", 0, code="NN0308",
            help="leave the end out to take all that is left",
        )  # fmt: skip
        for bound in (start, stop):
            if bound is not None:
                check.at_least(size, abs(bound), error)
        first: Dim = start if start >= 0 else size + start
        last: Dim = size if stop is None else stop if stop >= 0 else size + stop
        step = item.step or 1
        empty = misfit(
            f"`{_shown(item)}` takes nothing of an axis of {size}", f"item.{position}", 0, code="NN0308",
            help="a range runs from its start up to, not including, its end",
        )  # fmt: skip
        check.at_least(last - first, 1, empty)
        return ceildiv(last - first, step)

    def _code(self, x: code.Expr) -> code.Expr:
        if all(item == slice(None) for item in self.items):  # Keras 3.15 refuses `x[:]`, and a number `w[]`
            return x
        return code.index(x, *(_lifted(item) for item in self.items))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return self._code(x)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return self._code(x)


def _lifted(item: int | slice | None) -> object:
    if not isinstance(item, slice):
        return item
    parts = (None if part is None else code.Literal(part) for part in (item.start, item.stop, item.step))
    return code.Slice(*parts)


def _shown(item: slice) -> str:
    start, stop = ("" if part is None else str(part) for part in (item.start, item.stop))
    return f"{start}:{stop}" + (f":{item.step}" if item.step is not None else "")
