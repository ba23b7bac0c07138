"""Preprocessing: Rescaling, Normalization."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

from nndsl import code
from nndsl.ir.dims import Dim, product
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer, Weight
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.kinds import Bool, Either, Float, Int, ListOf, Maybe
from nndsl.layers.shapes import Check, ShapeError, resolve_axis, static


class Numbers(Layer):
    """Base of the layers that take numbers of any kind and give floats."""

    def floats(self, check: Check, x: TensorType) -> TensorType:
        return x if x.is_float else TensorType(x.shape, check.float_dtype, batched=x.batched)

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        return product(results[0].features)


def as_float(t: TorchCall, x: code.Expr) -> code.Expr:
    """A tensor of any dtype as the model's float."""
    if t.inputs[0].is_float:
        return x
    short = {"float32": "float", "float64": "double", "float16": "half", "bfloat16": "bfloat16"}
    return code.method(x, short[t.float_dtype])


def rounded(t: TorchCall, value: float) -> float:
    """A constant as Keras has it."""
    return t.rounded(value)


@entry("layer")
class Rescaling(Numbers):
    """`x * scale + offset`, in training too: brings bytes of an image to numbers from 0 to 1.

    Takes numbers of any kind and shape, and gives floats; a mask passes through. A list has a number for each place of
    the last axis.

    Example:
        image -> Rescaling(1 / 255) -> Conv2D(32, 3)
    """

    layout = "any"
    scale = arg(Either(Float(), ListOf(Float(), least=1)), "The factor, or one for each place of the last axis.")
    offset = arg(Either(Float(), ListOf(Float(), least=1)), "Added after that.", 0.0)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        for name, value in (("scale", self.scale), ("offset", self.offset)):
            if isinstance(value, tuple) and len(value) > 1:
                message = f"`{name}` of `{self.title()}` has {len(value)} numbers, and the last axis of {x} {x.last}"
                if x.rank < 2:
                    raise ShapeError(f"`{name}` of `{self.title()}` is a list, and gets one number", argument=name)
                check.equal(x.last, len(value), ShapeError(message, argument=name))
        return self.floats(check, x)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        x = code.binary("*", as_float(t, x), self._constant(t, "scale", self.scale))
        if self.offset == 0:
            return x
        if isinstance(self.offset, float) and self.offset < 0:
            return code.binary("-", x, rounded(t, -self.offset))
        return code.binary("+", x, self._constant(t, "offset", self.offset))

    def _constant(self, t: TorchCall, name: str, value: Any) -> object:
        if isinstance(value, float):
            return rounded(t, value)
        place = t.buffer(name, _tensor(t, [rounded(t, item) for item in value]))
        if t.first and len(value) > 1:
            return code.index(place, code.Slice(), *(None,) * (t.inputs[0].rank - 2))
        return place

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, **self._changed(k))

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, **self._changed(k))

    def _changed(self, k: KerasCall) -> dict[str, object]:
        """Lists as Keras takes them; where channels are moved last, the file's last axis is the one before."""
        given = {"scale": self.scale, "offset": self.offset}
        lists = {name: list(value) for name, value in given.items() if isinstance(value, tuple)}
        return {name: [[item] for item in value] if k.last else value for name, value in lists.items()}


STATISTIC = Maybe(Either(Float(), ListOf(Float(), least=1), ListOf(ListOf(Float(), least=1), least=1)))


@entry("layer")
class Normalization(Numbers):
    """Brings data to mean 0 and variance 1 by statistics that are given: `(x - mean) / sqrt(variance)`.

    `mean` and `variance` are a number for each place of `axis`, or one for all. Without them they are weights that
    training does not change, 0 and 1 until a file of weights brings others (in Keras `adapt()` computes them; the
    transform `standardize()` does that here). Takes numbers of any kind and gives floats; a mask passes through.
    Weights without `mean` and `variance`: mean and variance, of the sizes of `axis`, and count [].

    Example:
        image -> Normalization(mean=[0.485, 0.456, 0.406], variance=[0.0524, 0.0502, 0.0506])
    """

    axis = arg(
        Maybe(Either(Int(), ListOf(Int()))), "The axis or axes with statistics of their own; `none` for one pair.", -1
    )
    mean = arg(STATISTIC, "The mean, or a list of them; `none` makes it a weight.", None)
    variance = arg(STATISTIC, "The variance, or a list of them; `none` makes it a weight.", None)
    invert = arg(Bool(), "Whether the way back is computed: `x * sqrt(variance) + mean`.", False)

    def check(self) -> None:
        if (self.mean is None) != (self.variance is None):
            raise ConfigError("`mean` and `variance` are given together or not at all", "mean", "variance")
        if self.mean is None:
            return
        shape, other = _shape(self.mean), _shape(self.variance)
        if shape is None or shape != other:
            raise ConfigError("`mean` and `variance` must have the same shape", "mean", "variance")
        if len(shape) > len(self._given()):
            raise ConfigError(
                f"`mean` has {len(shape)} axes, and `axis` names {len(self._given())}",
                "mean",
                "axis",
                help="give a number for each place of the axes that `axis` names",
            )
        if any(value < 0 for value in _flat(self.variance)):
            raise ConfigError("a variance is 0 or more", "variance", code="NN0206")

    def _given(self) -> tuple[int, ...]:
        if self.axis is None:
            return ()
        return (self.axis,) if isinstance(self.axis, int) else self.axis

    def axes(self, x: TensorType) -> tuple[int, ...]:
        positions = sorted({resolve_axis(axis, x, self.title()) for axis in self._given()})
        if len(positions) < len(self._given()) or 0 in positions:
            raise ShapeError(
                f"`axis` of `{self.title()}` names axes from 1 to {x.rank - 1}, each once",
                code="NN0308",
                argument="axis",
                help="the statistics are over the batch, axis 0, and those that `axis` does not name",
            )
        return tuple(positions)

    def sizes(self, x: TensorType) -> tuple[int, ...]:
        what, help = "the statistics of `Normalization`", "`axis` must name axes of known size"
        return tuple(static(x.shape[axis], what, x, argument="axis", help=help) for axis in self.axes(x))

    def infer(self, check: Check, x: TensorType) -> TensorType:
        sizes = self.sizes(x)
        shape = _shape(self.mean) or ()
        for given, size in zip(reversed(shape), reversed(sizes), strict=False):
            if given not in (1, size):
                raise ShapeError(
                    f"`mean` of `{self.title()}` has {given} numbers, and the axis {size} places",
                    argument="mean",
                    help="one number, or a list with one for each place",
                )
        return self.floats(check, x)

    def weights(self, x: TensorType) -> list[Weight]:
        if self.mean is not None:
            return []
        sizes, zeros, ones = self.sizes(x), make("initializer", "zeros"), make("initializer", "ones")
        return [
            Weight("mean", sizes, zeros, trainable=False),
            Weight("variance", sizes, ones, trainable=False),
            Weight("count", (), zeros, trainable=False, dtype="int64"),
        ]

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        x = as_float(t, x)
        if self.mean is None:
            return code.call(self._module(t), x)
        mean = self._constant(t, "mean", self.mean, lambda value: value)
        deviation = self._constant(t, "deviation", self.variance, lambda value: max(sqrt(value), 1e-7))
        if self.invert:
            return code.binary("+", code.binary("*", x, deviation), mean)
        return code.binary("/", code.binary("-", x, mean), deviation)

    def _module(self, t: TorchCall) -> code.Expr:
        x = t.inputs[0]
        sizes, axes = self.sizes(x), self.axes(x)
        shape = _spread(x.rank, axes, sizes)
        steps: Any = () if shape == sizes else (("reshape", shape),)
        options = {"invert": True} if self.invert else {}
        return t.module(
            code.call(t.helper("Normalization"), *shape, **options),
            TorchWeight("mean", "mean", steps),
            TorchWeight("variance", "variance", steps),
            TorchWeight("count", "count"),
            filled=True,
        )

    def _constant(self, t: TorchCall, name: str, value: Any, change: Callable[[float], float]) -> object:
        """A number, or a buffer that fits the axes."""
        numbers = [change(rounded(t, item)) for item in _flat(value)]
        if len(numbers) == 1:
            return numbers[0]
        given = _shape(value) or ()
        axes = self.axes(t.inputs[0])[-len(given) :]
        shape = _spread(t.inputs[0].rank, axes, given)
        tensor = _tensor(t, numbers)
        return t.buffer(name, tensor if len(shape) == 1 else code.method(tensor, "reshape", *shape))


def _spread(rank: int, axes: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[int, ...]:
    """`sizes` of `axes` with 1 for the axes between and behind them."""
    if not axes:
        return ()
    return tuple(sizes[axes.index(axis)] if axis in axes else 1 for axis in range(axes[0], rank))


def _tensor(t: TorchCall, numbers: list[float]) -> code.Expr:
    exact = {"dtype": code.dotted("torch.float64")} if t.float_dtype == "float64" else {}
    return code.call("torch.tensor", numbers, **exact)


def _flat(value: Any) -> list[float]:
    """The numbers of a number, a list, or a list of lists."""
    return [item for part in value for item in _flat(part)] if isinstance(value, tuple) else [value]


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of nested lists, None where they are ragged; () for a number or none."""
    if not isinstance(value, tuple):
        return ()
    inner = {_shape(item) for item in value}
    first = inner.pop()
    return None if inner or first is None else (len(value), *first)
