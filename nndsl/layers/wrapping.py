"""What layers around layers share: the names of the layers inside, and how Keras spells them."""

from __future__ import annotations

from typing import Any

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import snake_case
from nndsl.layers.shapes import ShapeError


def own_name(layer: Any) -> str:
    return layer.name or snake_case(layer.title())


def mask_of_steps(layer: Layer, argument: str | None = None) -> ShapeError:
    """What to say where a layer for one step would use the mask that says which steps there are."""
    return ShapeError(
        f"`{layer.title()}` would use the mask of the sequence around it, which says which steps there are and nothing "
        "of what is inside of one",
        code="NN0302",
        argument=argument,
        inputs=() if argument else (0,),
        help="Keras fails here too: end the mask before `TimeDistributed`, for instance by `Reshape` of the same shape",
    )


def own_remedy(layer: Any, wanted: str) -> str | None:
    """What to do about a block or layer of one's own where `wanted` is meant; None for a layer of the catalogue."""
    if getattr(layer, "block", None) is None:
        return None
    return (
        f"only {wanted} has a state that goes from step to step: let `{layer.title()}` work on every step with "
        f"`TimeDistributed({layer.title()}(…))`, and write the recurrent layer behind it"
    )


def freeze(layer: Layer) -> None:
    """`trainable=false` of a layer holds for all layers inside it."""
    layer.trainable = False
    for inner in layer.__dict__.get("inside", ()):
        freeze(inner)


def keras_inner(k: KerasCall, name: str, layer: Layer, types: tuple[TensorType, ...]) -> code.Expr:
    """The layer inside, named; images it takes channels last, as all of the Keras program does."""
    last = layer.layout in ("channels", "last") and layer.data_format == "channels_first"
    return layer.keras_layer(KerasCall(layer, types, name=name, last=last, spell=k.spell, held=k.held))
