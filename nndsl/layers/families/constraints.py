"""Constraints: what weights are put back to after each step of the optimizer, with the formulas of
keras/src/constraints/ (1e-7 included). They change the tensor in place, under `torch.no_grad()`."""

from __future__ import annotations

from typing import ClassVar

from nndsl import code
from nndsl.layers.emit import InitRecord, TorchScope, keras_view
from nndsl.layers.entry import ConfigError, Entry, arg, entry
from nndsl.layers.kinds import Either, Float, Int, ListOf


class Constraint(Entry):
    """Base of the constraints. `over_axes` says that it takes norms over axes, so that it needs the whole weight."""

    over_axes: ClassVar[bool] = False

    def misfit(self, shape: tuple[int, ...]) -> str | None:
        """Why it cannot be put on a weight of this shape (Keras's layout), in words that go on after "`MaxNorm` …", or
        None where it can."""
        return None

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        """Statements that change `record.target`, a tensor in torch's layout, in place."""
        raise NotImplementedError


@entry("constraint", formerly=("nonneg",))
class NonNeg(Constraint):
    """Sets negative weights to 0."""

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        return [code.Do(code.method(record.target, "clamp_", min=0.0))]


class NormConstraint(Constraint):
    """Base of the constraints on norms."""

    over_axes = True
    axis: int | tuple[int, ...]

    @property
    def axes(self) -> tuple[int, ...]:
        return self.axis if isinstance(self.axis, tuple) else (self.axis,)

    def misfit(self, shape: tuple[int, ...]) -> str | None:
        for axis in self.axes:
            if not -len(shape) <= axis < len(shape):
                return f"takes norms over axis {axis}, and this weight has {len(shape)} axes"
        if len({axis % len(shape) for axis in self.axes}) != len(self.axes):
            return "names an axis twice"
        return None

    def place(self, record: InitRecord) -> tuple[code.Expr, int | tuple[int, ...]]:
        """The tensor, or a view of it, and the dims of it that are `axis` of Keras's layout."""
        shape, steps, target = record.weight.shape, record.steps, record.target
        dims = [axis % len(shape) for axis in self.axes]
        if all(kind in ("permute", "blocks") for kind, _ in steps):
            for kind, numbers in steps:  # blocks are moved along an axis, which changes no norm
                if kind == "permute":
                    dims = [numbers.index(dim) for dim in dims]
            dims.sort()
        else:  # the way back to Keras's layout, in views of the same memory
            target = keras_view(target, shape, steps)
        return target, dims[0] if len(dims) == 1 else tuple(dims)


AXIS = Either(Int(), ListOf(Int(), least=1))
AXIS_DOC = (
    "Axis, or list of axes, that a norm is taken over, in Keras's layout of the weight: 0 for Dense, "
    "[0, 1, 2] for Conv2D."
)


@entry("constraint", formerly=("maxnorm",))
class MaxNorm(NormConstraint):
    """Scales weights down where their norm exceeds `max_value`."""

    max_value = arg(Float(0), "The largest norm.", 2, formerly=("m",))
    axis = arg(AXIS, AXIS_DOC, 0)

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        target, dim = self.place(record)
        scope.helpers["max_norm_"] = None
        return [code.Do(code.call("max_norm_", target, float(self.max_value), dim=dim))]


@entry("constraint", formerly=("unitnorm",))
class UnitNorm(NormConstraint):
    """Scales weights to norm 1."""

    axis = arg(AXIS, AXIS_DOC, 0)

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        target, dim = self.place(record)
        scope.helpers["unit_norm_"] = None
        return [code.Do(code.call("unit_norm_", target, dim=dim))]


@entry("constraint")
class MinMaxNorm(NormConstraint):
    """Moves the norm of weights towards a range: `(1 - rate) * norm + rate * clip(norm, min_value, max_value)`."""

    min_value = arg(Float(0), "The smallest norm.", 0.0, formerly=("low",))
    max_value = arg(Float(0), "The largest norm.", 1.0, formerly=("high",))
    rate = arg(Float(0, 1), "How far each step goes: 1 is all the way.", 1.0)
    axis = arg(AXIS, AXIS_DOC, 0)

    def check(self) -> None:
        if self.min_value > self.max_value:
            raise ConfigError(
                f"the smallest norm, {self.min_value:g}, is greater than the largest, {self.max_value:g}",
                "min_value",
                "max_value",
            )

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        target, dim = self.place(record)
        scope.helpers["min_max_norm_"] = None
        call = code.call("min_max_norm_", target, self.min_value, self.max_value, rate=self.rate, dim=dim)
        return [code.Do(call)]
