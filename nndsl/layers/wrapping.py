"""What layers around layers share: the names of the layers inside, and how Keras spells them."""

from __future__ import annotations

from typing import Any

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer
from nndsl.layers.emit import KerasCall
from nndsl.layers.entry import snake_case


def own_name(layer: Any) -> str:
    return layer.name or snake_case(layer.title())


def freeze(layer: Layer) -> None:
    """`trainable=false` of a layer holds for all layers inside it."""
    layer.trainable = False
    for inner in layer.__dict__.get("inside", ()):
        freeze(inner)


def keras_inner(k: KerasCall, name: str, layer: Layer, types: tuple[TensorType, ...]) -> code.Expr:
    """The layer inside, named; images it takes channels last, as all of the Keras program does."""
    last = layer.layout in ("channels", "last") and layer.data_format == "channels_first"
    return layer.keras_layer(KerasCall(layer, types, name=name, last=last, spell=k.spell, held=k.held))
