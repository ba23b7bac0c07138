"""What shape rules ask and share: errors that know no files and no lines, and the arithmetic of windows."""

from __future__ import annotations

from typing import Protocol

from nndsl.ir.dims import Dim, Formula, ceildiv, floordiv
from nndsl.ir.types import TensorType, show_shape
from nndsl.records import record


class ShapeError(Exception):
    """A layer that cannot take what flows in.

    `argument` names the argument to underline (else the call's name), `inputs` the positions of the inputs that are
    the other side of the conflict. `before` is a layer that makes it right where it is put before this one.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "NN0302",
        argument: str | None = None,
        inputs: tuple[int, ...] = (0,),
        help: str | None = None,
        notes: tuple[str, ...] = (),
        before: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.argument, self.inputs = message, code, argument, inputs
        self.help, self.notes, self.before = help or (f"put `{before}` before it" if before else None), notes, before


class Check(Protocol):
    """What a shape rule may ask while a call is being checked."""

    float_dtype: str
    """The model's own float type, "float32" by default."""

    def at_least(self, dim: Dim, minimum: int, error: ShapeError) -> None:
        """`dim >= minimum`: raises `error` where that is false, else notes what it asks of free dimensions."""
        ...

    def equal(self, a: Dim, b: Dim, error: ShapeError) -> None:
        """`a == b`: raises `error` where they do not match, else notes what it asks of free dimensions."""
        ...


def need_rank(x: TensorType, rank: int, layer: str, layout: str, *, input: int = 0) -> None:
    """Demands `rank` axes (batch included); `layout` shows them: "[height, width, channels]"."""
    if x.rank != rank:
        wanted, have = rank - 1, x.rank - 1
        hint = before = None
        if have == wanted - 1:
            first = layout.startswith("[channels,")
            place, shape = ("first", (1, *x.features)) if first else ("last", (*x.features, 1))
            hint = f"add an axis with `Reshape`, for instance a {place} axis of size 1: {show_shape(shape)}"
        elif have > wanted and wanted == 1:
            before = "Flatten()"
        raise ShapeError(
            f"`{layer}` takes {layout} after the batch axis, and gets {show_shape(x.features)}",
            code="NN0301",
            inputs=(input,),
            help=hint,
            before=before,
        )


def need_float(x: TensorType, layer: str, *, input: int = 0) -> None:
    """Demands a float dtype."""
    if not x.is_float:
        raise ShapeError(
            f"`{layer}` computes with floats, and gets {x}",
            code="NN0305",
            inputs=(input,),
            help=f"for ids put an `Embedding` before it; numbers to compute with are declared as "
            f"`float{show_shape(x.features)}`",
        )


def loses_bias(shape: tuple[Dim, ...], bias: tuple[int, ...]) -> bool:
    """Whether Keras 3.15 on TensorFlow adds a bias to the wrong axis of `shape`: one along a single axis goes to the
    last axis, or to the first after the batch, wherever the size is the same (keras/src/backend/tensorflow/numpy.py,
    `add`). True too where sizes are not known."""
    long = [axis for axis, size in enumerate(bias, len(shape) - len(bias)) if size > 1]
    if len(long) != 1 or long[0] == len(shape) - 1:
        return False
    others = [shape[axis] for axis in ([-1] if long[0] == 1 else [1, -1])]
    return any(size == shape[long[0]] or not isinstance(size, int) for size in others)


def static(dim: Dim, what: str, x: TensorType, *, argument: str | None = None, help: str | None = None) -> int:
    """A size that a weight depends on: must be a number."""
    if isinstance(dim, Formula):
        raise ShapeError(
            f"{what} would depend on `{dim}`, which is not known before the program runs",
            code="NN0304",
            argument=argument,
            help=help
            or "a weight has one size for all inputs: give the axis a number, or pool over it "
            "(`GlobalMaxPooling1D()`, `GlobalAveragePooling2D()`, …)",
        )
    return dim


def resolve_axis(axis: int, x: TensorType, layer: str, *, argument: str = "axis") -> int:
    """A Keras axis (0 is the batch axis, -1 the last) as a position from 0."""
    position = axis + x.rank if axis < 0 else axis
    if not 0 <= position < x.rank:
        raise ShapeError(
            f"`{layer}` has no axis {axis}: its input {show_shape(x.features)} has {x.rank} axes with the batch axis",
            code="NN0308",
            argument=argument,
            help=f"axes run from 0 (the batch) to {x.rank - 1}, or from -1 (the last) to -{x.rank}",
        )
    return position


@record
class Window:
    """A window sliding over one axis: kernel `size`, `stride`, `dilation`."""

    size: int
    stride: int = 1
    dilation: int = 1

    @property
    def reach(self) -> int:
        return (self.size - 1) * self.dilation + 1

    def valid(self, n: Dim) -> Dim:
        """Output size without padding: (n - reach)//stride + 1; below 1 where the window does not fit."""
        return floordiv(n - self.reach, self.stride) + 1

    def same(self, n: Dim) -> Dim:
        return ceildiv(n, self.stride)

    def same_padding(self, n: Dim) -> tuple[int, int] | None:
        """Zeros before and after for `padding=same`, as TensorFlow counts them (the odd one goes after), or None where
        that depends on a free size."""
        if self.stride == 1:
            total = self.reach - 1
        elif isinstance(n, int):
            total = max((-(-n // self.stride) - 1) * self.stride + self.reach - n, 0)
        elif self.reach <= self.stride and self.reach == 1:
            total = 0
        else:
            return None
        return total // 2, total - total // 2
