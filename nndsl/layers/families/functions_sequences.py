"""Functions along an axis: cumsum, flip, tile, pad, arange."""

from __future__ import annotations

from math import ceil
from typing import Any

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.layers.aligning import of_numbers, show
from nndsl.layers.base import Code
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.functions_arranging import listed, not_the_batch
from nndsl.layers.families.functions_choices import resolved
from nndsl.layers.function import Function, misfit
from nndsl.layers.kinds import Choice, Dtype, Either, Float, Int, ListOf, Maybe
from nndsl.layers.shapes import Check, resolve_axis

_NUMBER = Either(Int(), Float())


@entry("function")
class Cumsum(Function):
    """Sums along an axis up to each position: [1, 2, 3] gives [1, 3, 6].

    Example:
        cumsum(x, axis=1)
    """

    axis = arg(Int(), "The axis that it runs along; -1 is the last.")

    def infer(self, check: Check, x: TensorType) -> TensorType:
        of_numbers(self, x)
        resolve_axis(self.axis, x, self.title())
        return x

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        dtype = t.inputs[0].dtype
        whole = not t.inputs[0].is_float and dtype != "int64"
        return code.method(x, "cumsum", dim=self.axis, **({"dtype": code.dotted(f"torch.{dtype}")} if whole else {}))


@entry("function")
class Flip(Function):
    """The other way round along an axis or axes.

    Example:
        flip(x, axis=1)
    """

    axis = arg(Either(Int(), ListOf(Int(), least=1)), "The axis or axes that are turned round; -1 is the last.")

    def infer(self, check: Check, x: TensorType) -> TensorType:
        for axis in listed(self.axis):
            resolve_axis(axis, x, self.title())
        return x

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.method(x, "flip", self.axis)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return code.call("keras.ops.flip", x, axis=self.axis)


@entry("function")
class Tile(Function):
    """The whole several times side by side: [1, 2] gives [1, 2, 1, 2]. `repeats` has a number for each axis, the batch
    axis too, which is not repeated.

    Example:
        tile(x, (1, 2))
    """

    repeats = arg(ListOf(Int(1), least=1), "How many times along each axis, the batch axis first: 1.")

    def infer(self, check: Check, x: TensorType) -> TensorType:
        if len(self.repeats) != x.rank:
            raise misfit(
                f"`tile` is given {len(self.repeats)} numbers, and {show(x)} has {x.rank} axes"
                + (" with the batch axis" if x.batched else ""), "repeats", 0, code="NN0301",
                help="one for each axis, the batch axis first: `(1, 2)` repeats the features of [features]",
            )  # fmt: skip
        if self.repeats[0] != 1:
            not_the_batch(self, x, (0,), "repeats")
        shape: tuple[Dim, ...] = tuple(size * times for size, times in zip(x.shape, self.repeats, strict=True))
        return TensorType(shape, x.dtype, batched=x.batched)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.method(x, "repeat", *self.repeats)


@entry("function")
class Pad(Function):
    """More positions at the ends of axes, filled with a constant. `pad_width` is (before, after) for each axis, the
    batch axis too, which gets (0, 0).

    Example:
        pad(x, ((0, 0), (1, 2)))
    """

    pad_width = arg(ListOf(ListOf(Int(0), length=2), least=1), "(before, after) for each axis, the batch axis first.")
    mode = arg(Choice("constant"), "How the new positions are filled.", "constant")
    constant_values = arg(Maybe(_NUMBER), "What they are filled with; `none` is 0.", None)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        of_numbers(self, x)
        if len(self.pad_width) != x.rank:
            raise misfit(
                f"`pad` is given {len(self.pad_width)} pairs, and {show(x)} has {x.rank} axes"
                + (" with the batch axis" if x.batched else ""), "pad_width", 0, code="NN0301",
                help="one pair for each axis, the batch axis first: `((0, 0), (1, 1))`",
            )  # fmt: skip
        if self.pad_width[0] != (0, 0):
            not_the_batch(self, x, (0,), "pad_width")
        if isinstance(self.constant_values, float) and not x.is_float:
            raise misfit(
                f"`pad` gets {show(x)}, and `constant_values` is no whole number", "constant_values", 0,
                code="NN0305", help="write a whole number",
            )  # fmt: skip
        sizes: tuple[Dim, ...] = tuple(s + a + b for s, (a, b) in zip(x.shape, self.pad_width, strict=True))
        return TensorType(sizes, x.dtype, batched=x.batched)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        widths = list(self.pad_width)
        while len(widths) > 1 and widths[0] == (0, 0):
            del widths[0]
        flat = tuple(width for pair in reversed(widths) for width in pair)  # torch begins with the last axis
        return code.call("F.pad", x, flat, **({"value": self.constant_values} if self.constant_values else {}))

    def keras(self, k: KerasCall, x: code.Expr) -> Code:
        more = {"constant_values": self.constant_values} if self.constant_values else {}
        return code.call("keras.ops.pad", x, self.pad_width, **more)


@entry("function")
class Arange(Function):
    """The numbers from `start` up to, not including, `stop`: `arange(4)` is 0, 1, 2, 3. It has no batch axis.

    Example:
        x + arange(8, dtype=float)
    """

    operands = ()
    start = arg(_NUMBER, "The first number; where it is given alone, the end, and the first is 0.")
    stop = arg(Maybe(_NUMBER), "The end, not included.", None)
    step = arg(Maybe(_NUMBER), "The distance of two numbers; `none` is 1.", None)
    dtype = arg(Maybe(Dtype()), "The dtype; `none` is int, or float where one of the numbers is no integer.", None)
    target: str

    @property
    def bounds(self) -> tuple[Any, Any, Any]:
        start, stop = (0, self.start) if self.stop is None else (self.start, self.stop)
        return start, stop, 1 if self.step is None else self.step

    def check(self) -> None:
        start, stop, step = self.bounds
        if step == 0 or (stop - start) / step <= 0:
            raise ConfigError(
                f"there are no numbers from {start} to {stop} in steps of {step}", "stop", "step",
                help="`arange(4)` is 0, 1, 2, 3; `arange(3, 0, -1)` is 3, 2, 1",
            )  # fmt: skip
        if (stop - start) / step > 10_000_000:
            raise ConfigError("more than 10,000,000 numbers", "start", code="NN0702", help="take fewer")

    def infer(self, check: Check) -> TensorType:
        start, stop, step = self.bounds
        fractions = any(isinstance(number, float) for number in (start, stop, step))
        self.target = resolved(self.dtype or ("float" if fractions else "int32"), check)
        return TensorType((ceil((stop - start) / step),), self.target, batched=False)

    def _numbers(self) -> list[int | float]:
        start, stop, step = self.bounds
        return [stop] if (start, step) == (0, 1) else [start, stop] if step == 1 else [start, stop, step]

    def torch(self, t: TorchCall) -> code.Expr:
        dtype = code.dotted(f"torch.{self.target}")
        return code.call("torch.arange", *self._numbers(), dtype=dtype, device=t.scope.device)

    def keras(self, k: KerasCall) -> Code:
        return code.call("keras.ops.arange", *self._numbers(), dtype=self.target)
