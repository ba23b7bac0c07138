"""Functions that arrange: reshape, transpose, concat, stack, ….

The numbers stay what they are, their places change. The batch axis stays the first.
"""

from __future__ import annotations

from collections.abc import Iterable

from nndsl import code
from nndsl.ir.dims import Dim, Formula
from nndsl.ir.types import TensorType
from nndsl.layers.aligning import one_dtype, same_batch, show
from nndsl.layers.base import Code
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.function import Function, misfit
from nndsl.layers.kinds import Either, Int, ListOf, Maybe
from nndsl.layers.shapes import Check, ShapeError, resolve_axis

_SHAPE = Either(Int(-1), ListOf(Int(-1)))
_AXES = Either(Int(), ListOf(Int(), least=1))


def listed(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)


def not_the_batch(function: Function, x: TensorType, axes: Iterable[int], argument: str = "axis") -> None:
    """Demands that none of the axes, positions from 0, is the batch axis."""
    if x.batched and 0 in axes:
        raise misfit(
            f"`{function.title()}` would change the batch axis of {show(x)}", argument, 0, code="NN0308",
            help=f"axis 0 is the batch: take 1 or more, or -1 for the last, of {x.rank} axes with the batch axis",
        )  # fmt: skip


@entry("function")
class Reshape(Function):
    """The same numbers, row by row, with other axes. The batch axis is not named: `reshape(x, (4, 8))` has 4 and 8
    after it. One size may be -1 and follows from the others. (A value without a batch axis is reshaped as a whole.)

    Example:
        reshape(x, (-1, 2))
    """

    newshape = arg(_SHAPE, "The sizes after the batch axis; one may be -1.")

    @property
    def shape(self) -> tuple[int, ...]:
        return listed(self.newshape)

    def check(self) -> None:
        if 0 in self.shape or self.shape.count(-1) > 1:
            raise ConfigError(
                "`newshape` has sizes from 1 on, and at most one -1", "newshape", code="NN0206",
                help="-1 stands for the one size that follows from the others",
            )  # fmt: skip

    def infer(self, check: Check, x: TensorType) -> TensorType:
        layer = make("layer", "Reshape", target_shape=self.shape)
        try:
            result: TensorType = layer.infer(check, x)
        except ShapeError as error:
            message = error.message.replace("`Reshape`", "`reshape`").replace("numbers in each sample", "numbers")
            help = error.help.replace("target_shape", "newshape") if error.help else None
            raise ShapeError(message, code=error.code, argument="newshape", help=help) from None
        return result

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        sizes, batched = t.results[0].shape, t.inputs[0].batched
        free = [isinstance(size, Formula) for size in (*t.inputs[0].features, *t.results[0].features)]
        if batched and any(free):
            x = x if isinstance(x, code.Name) else t.let(x, "value")
            rest = [-1 if isinstance(size, Formula) else size for size in sizes[1:]]
            return code.method(x, "reshape", code.index(code.Attr(x, "shape"), 0), *rest)
        return code.method(x, "reshape", *(-1 if isinstance(size, Formula) else size for size in sizes))

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        layer = make("layer", "Reshape", target_shape=self.shape)
        sizes = layer.infer(_Anything(), k.inputs[0]).features
        if not k.inputs[0].batched:
            return code.call("keras.ops.reshape", x, tuple(-1 if isinstance(size, Formula) else size for size in sizes))
        if any(isinstance(size, Formula) for size in (*sizes, *k.inputs[0].features)):
            return code.call(code.call("layers.Reshape", self.shape), x)
        return code.call("keras.ops.reshape", x, (-1, *sizes))


class _Anything:
    """A check that is satisfied: what it asks has been asked before."""

    float_dtype = "float32"

    def at_least(self, dim: Dim, minimum: int, error: ShapeError) -> None: ...

    def equal(self, a: Dim, b: Dim, error: ShapeError) -> None: ...


@entry("function")
class Transpose(Function):
    """The axes in another order. All are named, the batch axis too, which stays the first: `(0, 2, 1)`.

    Example:
        transpose(x, axes=(0, 2, 1))
    """

    axes = arg(Maybe(ListOf(Int(0), least=1)), "All axes in their new order; `none` turns the order round.", None)

    def order(self, x: TensorType) -> tuple[int, ...]:
        return self.axes if self.axes is not None else tuple(reversed(range(x.rank)))

    def infer(self, check: Check, x: TensorType) -> TensorType:
        order = self.order(x)
        swap = f"({', '.join(map(str, (0, *reversed(range(1, x.rank)))))})"
        help = f"every axis is named once, and the batch axis 0 stays the first: `axes={swap}`"
        if sorted(order) != list(range(x.rank)):
            shown = f"({', '.join(map(str, order))})"
            message = f"`transpose` needs an order of {x.rank} axes for {show(x)}, and {shown} is none"
            raise misfit(message, "axes", 0, code="NN0308", help=help if x.batched else None)
        if x.batched and order[0] != 0:
            raise misfit(f"`transpose` would move the batch axis of {show(x)}", "axes", 0, code="NN0308", help=help)
        return TensorType(tuple(x.shape[axis] for axis in order), x.dtype, batched=x.batched)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        order = self.order(t.inputs[0])
        moved = [axis for axis, old in enumerate(order) if axis != old]
        if not order:
            return x
        if len(moved) == 2:
            return code.method(x, "transpose", *moved)
        return code.method(x, "permute", *order)

    def keras(self, k: KerasCall, x: code.Expr) -> Code:
        return code.call("keras.ops.transpose", x, **({} if self.axes is None else {"axes": self.axes}))


class Joining(Function):
    """Base of concat and stack."""

    operands = ("xs",)
    several = "xs"

    def together(self, *xs: TensorType) -> str:
        """The dtype of all; they must be alike."""
        dtype = one_dtype(self, *xs)
        assert dtype is not None
        for position, x in enumerate(xs):
            if x.rank != xs[0].rank or x.batched != xs[0].batched:
                raise misfit(
                    f"`{self.title()}` joins values with the same axes, and gets {show(xs[0])} and {show(x)}",
                    f"{self.several}.{position}", position, 0, code="NN0301",
                    help=f"`expand_dims({{{position}}}, 1)` adds an axis of size 1, `reshape` makes others",
                )  # fmt: skip
        return dtype

    def equal(self, check: Check, xs: tuple[TensorType, ...], axis: int) -> Dim:
        """The size of an axis, which must be the same for all."""
        if xs[0].batched and axis == 0:
            return same_batch(self, *xs) or xs[0].shape[0]
        size = xs[0].shape[axis]
        for position, x in enumerate(xs[1:], 1):
            if x.shape[axis] != size:
                error = misfit(
                    f"`{self.title()}` gets {show(xs[0])} and {show(x)}: {size} and {x.shape[axis]} differ on axis "
                    f"{axis}", f"{self.several}.{position}", position, 0,
                    help="the values must be equal on every axis but the one that is joined",
                )  # fmt: skip
                check.equal(size, x.shape[axis], error)
                size = x.shape[axis] if isinstance(x.shape[axis], int) else size
        return size


@entry("function", "concatenate")
class Concat(Joining):
    """Joins tensors along an axis: [8, 16] and [8, 32] give [8, 48].

    Example:
        concat([a, b], axis=-1)
    """

    layout = "any"
    axis = arg(Int(), "The axis that is joined; -1 is the last.", -1)

    def infer(self, check: Check, *xs: TensorType) -> TensorType:
        dtype = self.together(*xs)
        place = resolve_axis(self.axis, xs[0], self.title())
        not_the_batch(self, xs[0], (place,))
        shape: list[Dim] = []
        for axis in range(xs[0].rank):
            if axis == place:
                total: Dim = 0
                for x in xs:
                    total = total + x.shape[axis]
                shape.append(total)
            else:
                shape.append(self.equal(check, xs, axis))
        return TensorType(tuple(shape), dtype, batched=xs[0].batched)

    def torch(self, t: TorchCall, *xs: code.Expr) -> code.Expr:
        return code.call("torch.cat", list(xs), dim=t.axis(self.axis))

    def keras(self, k: KerasCall, *xs: code.Expr) -> code.Expr:
        return code.call("keras.ops.concatenate", list(xs), axis=k.axis(self.axis))


@entry("function")
class Stack(Joining):
    """Puts tensors of one shape side by side along a new axis: [8] and [8] give [2, 8] with `axis=1`.

    Example:
        stack([a, b], axis=1)
    """

    operands = ("x",)
    several = "x"
    axis = arg(Int(), "Where the new axis stands in the result; -1 is the last.", 0)

    def infer(self, check: Check, *xs: TensorType) -> TensorType:
        dtype = self.together(*xs)
        shape = [self.equal(check, xs, axis) for axis in range(xs[0].rank)]
        place = new_axis(self, xs[0], self.axis)
        shape.insert(place, len(xs))
        return TensorType(tuple(shape), dtype, batched=xs[0].batched)

    def torch(self, t: TorchCall, *xs: code.Expr) -> code.Expr:
        return code.call("torch.stack", list(xs), dim=self.axis)

    def keras(self, k: KerasCall, *xs: code.Expr) -> code.Expr:
        return code.call("keras.ops.stack", list(xs), axis=self.axis)


def new_axis(function: Function, x: TensorType, axis: int) -> int:
    """Where a new axis comes to stand, as a position from 0; not in front of the batch axis."""
    place = axis + x.rank + 1 if axis < 0 else axis
    if not 0 <= place <= x.rank:
        raise misfit(
            f"`{function.title()}` cannot put an axis at {axis} of {show(x)}", "axis", 0, code="NN0308",
            help=f"axes of the result run from 0 (the batch) to {x.rank}, or from -1 (the last) on",
        )  # fmt: skip
    if x.batched and place == 0:
        raise misfit(
            f"`{function.title()}` would put an axis in front of the batch axis", "axis", 0, code="NN0308",
            help="the batch axis stays the first: give `axis=1`, or -1 for the last",
        )  # fmt: skip
    return place


@entry("function")
class ExpandDims(Function):
    """A new axis of size 1.

    Example:
        expand_dims(x, 1)
    """

    axis = arg(Int(), "Where the new axis stands in the result; -1 is the last.")

    def infer(self, check: Check, x: TensorType) -> TensorType:
        place = new_axis(self, x, self.axis)
        return TensorType((*x.shape[:place], 1, *x.shape[place:]), x.dtype, batched=x.batched)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return code.method(x, "unsqueeze", self.axis)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return code.call("keras.ops.expand_dims", x, self.axis)


@entry("function")
class Squeeze(Function):
    """Without an axis of size 1, or without all of them after the batch axis.

    Example:
        squeeze(expand_dims(x, 1), axis=1)
    """

    axis = arg(Maybe(_AXES), "The axis or axes to take out; `none` for all of size 1.", None)

    def axes(self, x: TensorType) -> tuple[int, ...]:
        if self.axis is None:
            return tuple(a for a, size in enumerate(x.shape) if size == 1 and not (x.batched and a == 0))
        return tuple(sorted({resolve_axis(axis, x, self.title()) for axis in listed(self.axis)}))

    def infer(self, check: Check, x: TensorType) -> TensorType:
        axes = self.axes(x)
        not_the_batch(self, x, axes)
        wrong = next((axis for axis in axes if x.shape[axis] != 1), None)
        if wrong is not None:
            raise misfit(
                f"axis {wrong} of {show(x)} has size {x.shape[wrong]}, and `squeeze` takes out axes of size 1",
                "axis", 0, code="NN0302", help="`{0}[:, 0]` takes one position of an axis",
            )  # fmt: skip
        return TensorType(tuple(s for a, s in enumerate(x.shape) if a not in axes), x.dtype, batched=x.batched)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        axes = self.axes(t.inputs[0])
        return code.method(x, "squeeze", axes[0] if len(axes) == 1 else axes) if axes else x

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        axes = self.axes(k.inputs[0])  # not `none`: that would take the axis of a batch of one
        return code.call("keras.ops.squeeze", x, axis=axes[0] if len(axes) == 1 else axes) if axes else x
