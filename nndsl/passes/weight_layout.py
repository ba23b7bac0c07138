"""The weights of a model by their canonical names, as the catalogue has them: what weight files, both programs and the
workers of `nndsl verify` speak of.

Nothing here needs a framework; `plain` is what goes to another process, as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nndsl.ir.graph import LayerUse, Model
from nndsl.layers.base import Layer
from nndsl.passes.held import BlockLayer
from nndsl.records import record


@record
class Slot:
    """One weight: its canonical `path` ("features_dense/kernel"), its `shape` in Keras's layout, its dtype ("float" for
    the model's own), and whether training changes it."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    trainable: bool


@record
class LayerSlots:
    """The weights of one layer in the order of Keras's `layer.weights`. `path` is the layer's name in the Keras model:
    a layer that wraps others holds their weights too."""

    path: str
    slots: tuple[Slot, ...]


def layout(model: Model) -> tuple[LayerSlots, ...]:
    """Every layer of the model that has weights, in the order of their definition."""
    return tuple(part for use in model.layers if use.nodes for part in slots_of(use))


def slots_of(use: LayerUse) -> tuple[LayerSlots, ...]:
    """A layer of the model and those inside of it, if they have weights."""
    return tuple(part for part in _layers(use.path, use.config, use.nodes[0].input_types) if part.slots)


def changed(layers: tuple[LayerSlots, ...]) -> list[tuple[str, tuple[int, ...]]]:
    """The path and the shape of every weight that training changes."""
    return [(slot.path, slot.shape) for layer in layers for slot in layer.slots if slot.trainable]


def plain(layers: tuple[LayerSlots, ...]) -> list[dict[str, Any]]:
    """As JSON takes it; the shape of `keras_side.find_variables`' argument."""
    return [
        {
            "path": layer.path,
            "weights": [
                {"path": s.path, "shape": list(s.shape), "dtype": s.dtype, "trainable": s.trainable}
                for s in layer.slots
            ],
        }
        for layer in layers
    ]


def _layers(path: str, config: Any, types: Any) -> Iterator[LayerSlots]:
    if holds_block(config):  # its layers bear names of their own in Keras too
        for name, child, child_types in config.children():
            yield from _layers(f"{path}.{name}", child, child_types)
        return
    yield LayerSlots(path, tuple(_slots(path, config, types, True)))


def holds_block(config: Any) -> bool:
    """Whether the layer is a block, or one around a block."""
    return isinstance(config, BlockLayer) or any(holds_block(child) for _, child, _ in config.children())


def _slots(path: str, config: Layer, types: Any, trainable: bool) -> Iterator[Slot]:
    trained = trainable and config.trainable
    for weight in config.weights(*types):
        yield Slot(f"{path}/{weight.name}", tuple(weight.shape), weight.dtype, trained and weight.trainable)
    for name, child, child_types in config.children():
        yield from _slots(f"{path}.{name}", child, child_types, trained)
