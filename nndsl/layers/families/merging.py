"""Layers that merge several values: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot."""

from __future__ import annotations

from functools import reduce
from string import ascii_lowercase
from typing import ClassVar

from nndsl import code
from nndsl.ir.dims import Dim, product
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.base import Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Bool, Either, Int, ListOf
from nndsl.layers.merging import (
    any_mask,
    broadcast,
    element_masks,
    lifted,
    mismatch,
    same_batch,
    same_dtype,
    shapes_of,
)
from nndsl.layers.shapes import Check, ShapeError, need_float, resolve_axis


class Merge(Layer):
    """Base of the elementwise merges. Sizes must be equal, or 1, which is stretched; where inputs have different
    numbers of axes, axes of size 1 are put behind the batch axis. The result has a mask where all inputs have one."""

    arity: ClassVar[tuple[int, int | None]] = (2, None)
    layout = "any"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return broadcast(check, inputs, self.title())

    def result_mask(self, *masks: bool) -> bool:
        return all(masks)

    def torch_mask(self, t: TorchCall, *inputs: code.Expr) -> code.Expr | None:
        return any_mask(t.masks)

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        return 0


class Sum(Merge):
    """Base of the merges that Keras does with `ops.add`."""

    def keras(self, k: KerasCall, *inputs: code.Expr) -> code.Expr:
        return k.call(self, *in_safe_order(k, inputs))


def in_safe_order(k: KerasCall, inputs: tuple[code.Expr, ...]) -> tuple[code.Expr, ...]:
    """Given one sample, Keras's `ops.add` takes a second operand with one axis greater than 1 for a bias, and adds it
    on the wrong axis: such an operand goes first."""
    spread = [sum(size != 1 for size in x.features) for x in k.inputs]
    swap = len(inputs) == 2 and spread[0] > 1 == spread[1] and k.inputs[1].last == 1
    return inputs[::-1] if swap else inputs


def _chain(op: str, values: list[code.Expr]) -> code.Expr:
    return reduce(lambda left, right: code.binary(op, left, right), values)


@entry("layer")
class Add(Sum):
    """Sum of the inputs, element by element: closes a residual connection.

    Takes two or more inputs of one shape; sizes of 1 are stretched. Masked where all inputs are.

    Example:
        x -> branch { Conv2D(64, 3, padding=same); Identity() } -> Add()
    """

    def torch(self, t: TorchCall, *inputs: code.Expr) -> code.Expr:
        return _chain("+", lifted(t, inputs))


@entry("layer")
class Subtract(Merge):
    """The first input minus the second, element by element.

    Takes two inputs of one shape; sizes of 1 are stretched. Masked where both inputs are.

    Example:
        (left, right) -> Subtract()
    """

    arity = (2, 2)

    def torch(self, t: TorchCall, *inputs: code.Expr) -> code.Expr:
        return _chain("-", lifted(t, inputs))


@entry("layer")
class Multiply(Merge):
    """Product of the inputs, element by element: gates and attention weights.

    Takes two or more inputs of one shape; sizes of 1 are stretched. A masked element counts as 1, and is 0 in the
    result where it is masked in all inputs.

    Example:
        (x, gate) -> Multiply()
    """

    uses_mask = True

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        return product(results[0].features) * (len(inputs) - 1)

    def torch(self, t: TorchCall, *inputs: code.Expr) -> code.Expr:
        values = []
        masks = element_masks(t)
        for x, mask in zip(lifted(t, inputs), masks, strict=True):
            values.append(x if mask is None else t.let(code.call("torch.where", mask, x, 1.0), "factor"))
        result = _chain("*", values)
        every = any_mask(masks)
        return result if every is None else code.call("torch.where", every, result, 0.0)


@entry("layer")
class Average(Sum):
    """Mean of the inputs, element by element.

    Takes two or more inputs of one shape; sizes of 1 are stretched. Masked where all inputs are.

    Example:
        (first, second, third) -> Average()
    """

    def torch(self, t: TorchCall, *inputs: code.Expr) -> code.Expr:
        return code.binary("/", _chain("+", lifted(t, inputs)), len(inputs))


class Extreme(Merge):
    """Base of Maximum and Minimum."""

    uses_mask = True

    def torch(self, t: TorchCall, *inputs: code.Expr) -> code.Expr:
        function = t.helper(self.title().lower())
        values, masks = lifted(t, inputs), element_masks(t)
        result, masked = values[0], masks[0]
        for x, mask in zip(values[1:], masks[1:], strict=True):
            if mask is not None or masked is not None:  # what is masked gives way to the other side
                result = result if isinstance(result, code.Name) else t.let(result, "best")
            if mask is not None:
                x = t.let(code.call("torch.where", mask, x, result), "other")
            if masked is not None:
                x = x if isinstance(x, code.Name) else t.let(x, "other")
                result = code.call("torch.where", masked, result, x)
            masked = any_mask((masked, mask))
            result = code.call(function, result, x)
        return result


@entry("layer")
class Maximum(Extreme):
    """The largest of the inputs, element by element.

    Takes two or more inputs of one shape; sizes of 1 are stretched. A masked element gives way to the other inputs.
    Where inputs are equal the gradient goes to the first.

    Example:
        (left, right) -> Maximum()
    """


@entry("layer")
class Minimum(Extreme):
    """The smallest of the inputs, element by element.

    Takes two or more inputs of one shape; sizes of 1 are stretched. A masked element gives way to the other inputs.
    Where inputs are equal the gradient goes to the first.

    Example:
        (left, right) -> Minimum()
    """


@entry("layer")
class Concatenate(Layer):
    """Joins the inputs along one axis, the last by default: [8, 16] and [8, 32] give [8, 48].

    Takes two or more inputs, equal on every other axis; sizes of 1 are not stretched. Free dimensions add up. Masked
    where at least one input is: an input without a mask counts as not masked anywhere.

    Example:
        (facts, text) -> Concatenate() -> Dense(1)
    """

    arity = (2, None)
    layout = "any"
    axis = arg(Int(), "The axis that is joined; 0 is the batch axis, -1 the last.", -1, formerly=("concat_axis",))

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        first = inputs[0]
        same_dtype(inputs, "Concatenate")
        for position, x in enumerate(inputs):
            if x.rank != first.rank:
                raise ShapeError(
                    f"`Concatenate` joins values with the same number of axes, and gets {shapes_of(inputs)}",
                    code="NN0301",
                    inputs=(0, position),
                    help="bring them to one rank: `Flatten()` or a global pool takes axes away, `RepeatVector(n)` and "
                    "`Reshape` add some",
                )
        axis = resolve_axis(self.axis, first, "Concatenate")
        if axis == 0:
            raise ShapeError(
                "`Concatenate` cannot join batches: axis 0 is the batch axis",
                code="NN0308",
                argument="axis",
                help="axes after the batch axis count from 1",
            )
        for position, x in enumerate(inputs):
            if x.mask and x.mask_rank != x.rank - 1:
                raise ShapeError(
                    f"`Concatenate` cannot join {x} whose mask counts steps only: Keras 3.15 lays it over other axes",
                    code="NN0218",
                    inputs=(position,),
                    help="end the mask before it, for instance by `Reshape` of the same shape",
                )
        shape = [same_batch(check, inputs, "Concatenate"), *first.shape[1:]]
        for position, x in enumerate(inputs[1:], 1):
            for other in range(1, first.rank):
                if other == axis:
                    shape[axis] = shape[axis] + x.shape[axis]
                elif x.shape[other] != shape[other]:
                    error = mismatch(inputs, "Concatenate", other, first.rank, (0, position), joined=True)
                    check.equal(shape[other], x.shape[other], error)
                    if isinstance(x.shape[other], int):
                        shape[other] = x.shape[other]
        return TensorType(tuple(shape), first.dtype)

    def result_mask(self, *masks: bool) -> bool:
        return any(masks)

    def torch(self, t: TorchCall, *inputs: code.Expr) -> code.Expr:
        return code.call("torch.cat", list(inputs), dim=t.axis(self.axis))

    def torch_mask(self, t: TorchCall, *inputs: code.Expr) -> code.Expr | None:
        some = next((mask for mask in t.masks if mask is not None), None)
        if some is None:
            return None
        rank = t.inputs[0].rank
        if self.axis % rank == rank - 1:
            every = any_mask(t.masks)
            return code.call("torch.ones_like", some) if every is None else every
        parts = []
        for x, mask in zip(inputs, t.masks, strict=True):
            if mask is None:
                steps = code.index(x, code.Slice(), 0) if t.first else code.index(x, code.ELLIPSIS, 0)
                mask = code.call("torch.ones_like", steps, dtype=code.dotted("torch.bool"))
            parts.append(mask)
        return code.call("torch.cat", parts, dim=self.axis % rank)

    def keras(self, k: KerasCall, *inputs: code.Expr) -> code.Expr:
        return k.call(self, *inputs, axis=k.axis(self.axis)) if k.last else k.call(self, *inputs)


@entry("layer")
class Dot(Layer):
    """Dot product over one axis of each of two inputs: [20, 64] and [30, 64] with `axes=2` give [20, 30].

    The result has the other axes of the first input, then those of the second; [64] and [64] give [1]. With
    `normalize=true` both are scaled to length 1 before, which gives the cosine. A mask ends here.

    Example:
        (user, item) -> Dot(axes=1, normalize=true)
    """

    arity = (2, 2)
    axes = arg(
        Either(Int(), ListOf(Int(), length=2)),
        "The axis to sum over; two of them, for the first and the second input; 0 is the batch axis, -1 the last.",
        formerly=("dot_axes",),
    )
    normalize = arg(Bool(), "Whether both inputs are scaled to length 1 along the axis before.", False)

    def _axes(self, x: TensorType, y: TensorType) -> tuple[int, int]:
        given = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        found = []
        for axis, value in zip(given, (x, y), strict=True):
            position = resolve_axis(axis, value, "Dot", argument="axes")
            if position == 0:
                raise ShapeError(
                    f"`Dot` cannot sum over the batch axis, which axis {axis} of {show_shape(value.features)} is",
                    code="NN0308",
                    argument="axes",
                    help="axes after the batch axis count from 1",
                )
            found.append(position)
        return found[0], found[1]

    def infer(self, check: Check, x: TensorType, y: TensorType) -> TensorType:
        for position, value in enumerate((x, y)):
            need_float(value, "Dot", input=position)
        same_dtype((x, y), "Dot")
        first, second = self._axes(x, y)
        error = ShapeError(
            f"`Dot` sums over axis {first} of {show_shape(x.features)} and axis {second} of {show_shape(y.features)}, "
            f"which have {x.shape[first]} and {y.shape[second]}",
            argument="axes",
            inputs=(0, 1),
            help=f"`axes` must name axes of one size, or the inputs be brought to it (`Dense({x.shape[first]})`)",
        )
        check.equal(x.shape[first], y.shape[second], error)
        rest = [size for axis, size in enumerate(x.shape) if axis not in (0, first)]
        rest += [size for axis, size in enumerate(y.shape) if axis not in (0, second)]
        return TensorType((same_batch(check, (x, y), "Dot"), *(rest or [1])), x.dtype)

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        x, y = inputs
        return product(results[0].features) * x.shape[self._axes(x, y)[0]]

    def torch(self, t: TorchCall, x: code.Expr, y: code.Expr) -> code.Expr:
        first, second = self._axes(*t.inputs)
        if self.normalize:
            x = code.call("F.normalize", x, dim=first, eps=1e-7)
            y = code.call("F.normalize", y, dim=second, eps=1e-7)
        if t.inputs[0].rank == t.inputs[1].rank == 2:
            return code.method(code.binary("*", x, y), "sum", 1, keepdim=True)
        letters = iter(ascii_lowercase)
        batch, summed = next(letters), next(letters)
        names = [
            [batch if axis == 0 else summed if axis == over else next(letters) for axis in range(value.rank)]
            for value, over in zip(t.inputs, (first, second), strict=True)
        ]
        kept = [name for operand in names for name in operand if name not in (batch, summed)]
        spelled = f"{''.join(names[0])},{''.join(names[1])}->{batch}{''.join(kept)}"
        return code.call("torch.einsum", spelled, x, y)
