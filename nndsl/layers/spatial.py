"""What layers over one, two or three spatial axes share: their axes in either order, and their paddings in torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import Arg, Kind
from nndsl.layers.kinds import Maybe, PerAxis
from nndsl.layers.shapes import Check, ShapeError, Window, need_float, need_rank

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
DATA_FORMAT = "Order of the axes, `channels_last` or `channels_first`; by default the model's own."
PADDING = "`valid`: no padding; `same`: zeros around, so that strides of 1 keep the size."
ANY_RANK = PerAxis(0)
"""Stands for a PerAxis of the class's own rank; see `Spatial`."""
ANY_RANK_OR_ZERO = PerAxis(0, 0)


class Spatial(Layer):
    """Base of the layers over `rank` spatial axes and one of channels.

    1D, 2D and 3D share their declarations: an argument declared with ANY_RANK takes `rank` numbers in each subclass.
    """

    layout: ClassVar[Literal["channels", "any", "declared", "last"]] = "channels"
    rank: ClassVar[int] = 0

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.rank:
            cls.arguments = {name: _of_rank(argument, cls.rank) for name, argument in cls.arguments.items()}

    @property
    def channels_first(self) -> bool:
        return self.data_format == "channels_first"

    def need(self, x: TensorType) -> None:
        """Demands floats with the layer's spatial axes and one of channels."""
        self.need_axes(x)
        need_float(x, self.title())

    def need_axes(self, x: TensorType) -> None:
        axes = ["channels", *AXES[self.rank]] if self.channels_first else [*AXES[self.rank], "channels"]
        need_rank(x, self.rank + 2, self.title(), f"[{', '.join(axes)}]")

    def sizes(self, x: TensorType) -> tuple[Dim, ...]:
        """The sizes of the spatial axes."""
        return x.shape[2:] if self.channels_first else x.shape[1:-1]

    def channels(self, x: TensorType) -> Dim:
        return x.shape[1] if self.channels_first else x.shape[-1]

    def spatial_axes(self) -> tuple[int, ...]:
        """The positions of the spatial axes in the file's order, the batch axis being 0."""
        first = 2 if self.channels_first else 1
        return tuple(range(first, first + self.rank))

    def of(self, x: TensorType, sizes: Sequence[Dim], channels: Dim) -> TensorType:
        """`x` with other sizes and channels."""
        return x.with_shape(channels, *sizes) if self.channels_first else x.with_shape(*sizes, channels)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, **self.written(k))

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, **self.written(k))

    def written(self, k: KerasCall) -> dict[str, object]:
        """Arguments that the Keras code writes in another way than the file: `data_format`, which the axes of the
        emitted code make superfluous unless a call really works on channels-first tensors."""
        return {"data_format": "channels_first"} if self.channels_first and not k.last else {}


def _of_rank(argument: Arg, rank: int) -> Arg:
    kind: Kind[Any] = argument.kind
    inner = kind.kind if isinstance(kind, Maybe) else kind
    if not isinstance(inner, PerAxis) or inner.rank:
        return argument
    own = PerAxis(rank, inner.item.low or 0)
    default = argument.default
    if isinstance(default, int):
        default = (default,) * rank
    changed = Arg(Maybe(own) if isinstance(kind, Maybe) else own, argument.doc, default, argument.formerly)
    changed.name = argument.name
    return changed


def slide(
    layer: Spatial,
    check: Check,
    x: TensorType,
    windows: Sequence[Window],
    padding: str,
    *,
    what: str,
    argument: str,
) -> list[Dim]:
    """The sizes that are left when a window slides over each spatial axis. `what` names the window ("kernel")."""
    left: list[Dim] = []
    for axis, size, window in zip(AXES[layer.rank], layer.sizes(x), windows, strict=True):
        if padding != "valid":
            left.append(window.same(size))
            continue
        rest = window.valid(size)
        spread = f", spread over {window.reach} by its dilation," if window.dilation > 1 else ""
        check.at_least(
            rest,
            1,
            ShapeError(
                f"a {what} of {window.size}{spread} does not fit into the {axis} of {size} that `{layer.title()}` gets",
                code="NN0303",
                argument=argument,
                help=f"`padding=same` keeps the {axis} (strides aside); else take a smaller {what}, "
                "or drop a pooling or a stride before it",
            ),
        )
        left.append(rest)
    return left


def compact(values: Sequence[int]) -> int | tuple[int, ...]:
    """One number where all are equal, as people write it."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def pad(x: code.Expr, sides: Sequence[tuple[int, int]], value: float = 0.0) -> code.Expr:
    """`F.pad(x, …)` around the last axes, `sides` before and after each; `x` itself where there is nothing to pad."""
    if not any(before or after for before, after in sides):
        return x
    flat = tuple(number for side in reversed(sides) for number in side)
    return code.call("F.pad", x, flat, value=value) if value else code.call("F.pad", x, flat)


def same_in_torch(
    t: TorchCall, x: code.Expr, windows: Sequence[Window], sizes: Sequence[Dim], value: float = 0.0
) -> tuple[code.Expr, tuple[int, ...]]:
    """`x` as a window with `padding=same` needs it, and what torch's own symmetric padding adds to each side.

    As TensorFlow counts it, the odd zero goes behind, so where the sides differ `x` is padded beforehand.
    """
    sides = [window.same_padding(size) for window, size in zip(windows, sizes, strict=True)]
    known = [side for side in sides if side is not None]
    none = (0,) * len(windows)
    if len(known) < len(sides):
        extra = {"value": value} if value else {}
        reach, stride = tuple(w.reach for w in windows), tuple(w.stride for w in windows)
        return code.call(t.helper("pad_same"), x, reach, stride, **extra), none
    if all(before == after for before, after in known):
        return x, tuple(before for before, _ in known)
    return pad(x, known, value), none
