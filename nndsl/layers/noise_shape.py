"""`noise_shape`: along which axes a dropout's random mask is the same."""

from __future__ import annotations

from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import arg
from nndsl.layers.kinds import Int, ListOf, Maybe
from nndsl.layers.shapes import Check, ShapeError

noise_shape = arg(
    Maybe(ListOf(Maybe(Int(1)))),
    "Shape of the random mask, the batch axis first: 1 shares it along an axis, `none` is the axis's own size.",
    None,
)
Noise = tuple[int | None, ...] | None


def need_noise_shape(check: Check, x: TensorType, shape: Noise) -> None:
    """Demands a size for each axis of `x`: 1, none, or the axis's own."""
    if shape is None:
        return
    noise = "(" + ", ".join("none" if size is None else str(size) for size in shape) + ")"
    if len(shape) != x.rank:
        raise ShapeError(
            f"`noise_shape` {noise} has {len(shape)} axes, and the input {x.rank} with the batch axis",
            argument="noise_shape",
            help=f"name every axis of {show_shape(x.features)} and the batch axis before it, "
            f"for instance ({', '.join(['none', *('1' for _ in x.features)])})",
        )
    for axis, (size, wanted) in enumerate(zip(shape, x.shape, strict=True)):
        if size not in (None, 1):
            error = ShapeError(
                f"`noise_shape` {noise} has {size} on axis {axis}, and the input {show_shape(x.features)} has "
                f"{wanted} there",
                argument="noise_shape",
                help="each size must be 1, `none` or the input's own",
            )
            check.equal(wanted, size, error)


def shared_axes(t: TorchCall, shape: Noise) -> tuple[int, ...]:
    """The axes of the torch tensor at hand along which the mask is the same."""
    sizes = enumerate(zip(shape or (), t.inputs[0].shape, strict=False))
    return tuple(sorted(t.axis(axis) % t.inputs[0].rank for axis, (size, own) in sizes if size == 1 and own != 1))


def moved_noise_shape(k: KerasCall, shape: Noise) -> dict[str, object]:
    """The argument for a channels-last tensor, where that is not what the file says."""
    return {"noise_shape": (shape[0], *shape[2:], shape[1])} if shape is not None and k.last else {}
