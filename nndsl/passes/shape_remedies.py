"""What to do about a shape that does not suit, where the layers that led to it say more than the layer that refuses."""

from __future__ import annotations

from math import isqrt
from typing import Any

from nndsl.diagnostics.model import Edit, Fix, Label
from nndsl.ir.dims import Formula
from nndsl.ir.graph import Node, Value
from nndsl.ir.types import TensorType
from nndsl.layers import catalogue
from nndsl.layers.shapes import ShapeError
from nndsl.source import Span

_FLATTENING = ("Flatten", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalAveragePooling1D",
               "GlobalAveragePooling2D", "GlobalAveragePooling3D")  # fmt: skip


def shape_help(node: Node, error: ShapeError) -> tuple[str | None, tuple[Label, ...]]:
    """The help for an error, and further places that it speaks of."""
    if not node.inputs or not error.inputs or error.inputs[0] >= len(node.inputs):
        return error.help, ()
    value = node.inputs[error.inputs[0]]
    if error.code == "NN0301":
        return _axes(node, value, error)
    if error.code == "NN0303":
        return _too_small(node, value, error)
    return error.help, ()


def shape_fixes(node: Node, error: ShapeError, help: str | None) -> tuple[Fix, ...]:
    """Remedies that a tool can apply where the layer is called, unless `help` knows better than the error."""
    call, title = node.layer.span, node.layer.config.title()
    if help != error.help or node.layer.shared or not (call.text.startswith(title) and call.text.endswith(")")):
        return ()
    if error.before is not None and len(node.inputs) == 1:
        start = Span(call.file, call.start, call.start)
        return (Fix(f"put `{error.before}` before it", (Edit(start, f"{error.before} -> "),)),)
    if error.code == "NN0303" and getattr(node.layer.config, "padding", None) == "valid":
        place = node.layer.arguments.get("padding")
        if place is not None:
            return (Fix("change to `padding=same`", (Edit(place, "same"),)),)
        end = Span(call.file, call.end - 1, call.end - 1)
        return (Fix("add `padding=same`", (Edit(end, ", padding=same"),)),)
    return ()


def _too_small(node: Node, value: Value, error: ShapeError) -> tuple[str | None, tuple[Label, ...]]:
    """A kernel or pool that does not fit, where the size itself is not the mistake."""
    given = node.layer.arguments
    config: Any = node.layer.config
    if given.get("filters") and given.get("kernel_size") and "strides" in given and value.type.last == config.filters:
        first, second, third = (given[name] for name in ("filters", "kernel_size", "strides"))
        if first.text.isdigit() and second.text.isdigit():  # Conv2D(1, 32, 5): PyTorch's order
            title = config.title()
            help = (
                f"if {first.text} is the number of channels that come in, leave it out: "
                f"`{title}({second.text}, {third.text})` has {second.text} filters and a kernel of {third.text}"
            )
            return help, ()
    start = value
    while start.producer is not None and len(start.producer.inputs) == 1:
        start = start.producer.inputs[0]
    if start.producer is None and _channels_first(start.type):
        where = "this input" if start is value else f"input `{start.name}`"
        more = () if start is value else (Label(start.span, f"`{start.name}` is {start.type}"),)
        return f"if the channels come first in {where}, write `options {{ data_format = channels_first }}`", more
    return error.help, ()


def _channels_first(type_: TensorType) -> bool:
    sizes = type_.features
    return len(sizes) == 3 and sizes[0] in (1, 3) and all(isinstance(size, int) and size > 3 for size in sizes[1:])


def _axes(node: Node, value: Value, error: ShapeError) -> tuple[str | None, tuple[Label, ...]]:
    """The wrong number of axes."""
    title = node.layer.config.title()
    if title.endswith("1D") and len(value.type.features) in (3, 4) and _wants(error, 2):
        fitting = f"{title[:-2]}{len(value.type.features) - 1}D"
        if catalogue.find("layer", fitting) is not None:
            return f"`{fitting}` takes these axes", ()
    maker = value.maker
    before = maker.layer if maker is not None else None
    if before is not None:
        config = before.config
        inner: Any = getattr(config, "layer", config)
        short = getattr(inner, "return_sequences", None) is False
        if short and value.position == 0 and _wants(error, len(value.type.features) + 1):
            name = inner.title()
            return (
                f"`{name}` gives its last step alone: with `return_sequences=true` it gives every step",
                (Label(before.name_span, "without `return_sequences=true`"),),
            )
        if config.title() in _FLATTENING and error.help is None:
            return f"`{config.title()}` takes those axes away: put `{title}` before it", ()
    return error.help or _reshape(value.type, error), ()


def _wants(error: ShapeError, axes: int) -> bool:
    """Whether the layer asks for that many axes after the batch axis (it says so: "[time, features]")."""
    start = error.message.find("[")
    end = error.message.find("]", start)
    return start >= 0 and error.message[start:end].count(",") + 1 == axes


def _reshape(type_: TensorType, error: ShapeError) -> str | None:
    """An example of a `Reshape` that brings it to the right number of axes."""
    start = error.message.find("[")
    wanted = error.message[start : error.message.find("]", start)].count(",") + 1
    names = error.message[start + 1 : error.message.find("]", start)]
    sizes = type_.features
    if start < 0 or any(isinstance(size, Formula) for size in sizes):
        return "declare the input with those axes, or bring it to them with `Reshape`"
    numbers = [size for size in sizes if isinstance(size, int)]
    if len(numbers) > wanted > 0:
        rest = 1
        for size in numbers[wanted - 1 :]:
            rest *= size
        shape = (*numbers[: wanted - 1], rest)
        return f"put some axes together: `Reshape(({', '.join(map(str, shape))}))`"
    if len(numbers) == 1 and wanted == 3 and names.startswith("height") and isqrt(numbers[0]) ** 2 == numbers[0]:
        side = isqrt(numbers[0])
        return f"if these are images of {side} x {side}, put `Reshape(({side}, {side}, 1))` before it"
    return f"declare the input with the axes [{names}], or bring it to them with `Reshape`"
