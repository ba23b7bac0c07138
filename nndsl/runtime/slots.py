"""What a model takes: its inputs, the targets of its outputs with a loss, and weights of samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nndsl.ir.dims import Dim, free_symbols
from nndsl.ir.graph import Input, Model, Output, Value
from nndsl.ir.types import TensorType
from nndsl.layers.entry import snake_case
from nndsl.passes.data_fit import wanted_type
from nndsl.passes.sample_weights import sample_weights
from nndsl.source import Span

WEIGHTS = "array of weights"
"""What a slot is that holds weights of samples."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One input, the target of one output, or an array of weights. `type` is that of the data, the batch axis first.

    `ids` is (number of ids, the Embedding, its place, whether 0 is padding) where an Embedding reads the input;
    `classes` the number of classes where the data holds class ids; `loss` the name of the loss.
    """

    name: str
    what: str
    type: TensorType
    span: Span
    ids: tuple[int, str, Span, bool] | None = None
    classes: int | None = None
    loss: str = ""
    ignored: int | None = None  # the class id that the loss leaves out

    @property
    def row(self) -> tuple[Dim, ...]:
        return self.type.features


def slots_of(model: Model) -> list[Slot]:
    """Everything that needs data: inputs, targets, weights."""
    found = [Slot(item.name, "input", item.value.type, item.span, ids=_embedding(item)) for item in model.inputs]
    for output in trained(model):
        loss = output.loss
        found.append(
            Slot(
                output.name,
                "output",
                wanted_type(output),
                output.name_span,
                classes=loss.classes(output.value.type),
                loss=snake_case(type(loss).__name__),
                ignored=getattr(loss, "ignore_class", None),
            )
        )
    found += [Slot(item.name, WEIGHTS, wanted_type(item), item.span) for item in sample_weights(model)]
    return found


def trained(model: Model) -> list[Output]:
    """The outputs with a loss."""
    return [output for output in model.outputs if output.loss is not None]


def free_names(model: Model) -> list[str]:
    """The free dimensions of the inputs, in the order of the file."""
    return list(
        dict.fromkeys(name for item in model.inputs for d in item.value.type.features for name in free_symbols(d))
    )


def _embedding(item: Input) -> tuple[int, str, Span, bool] | None:
    """The smallest Embedding that the input flows into, through layers that leave integers as they are."""
    if item.value.type.is_float:
        return None
    found: list[tuple[int, str, Span, bool]] = []
    for config, span in _readers(item.value):
        size = getattr(config, "input_dim", None)
        name = type(config).__name__
        if name in ("Embedding", "ReversibleEmbedding") and isinstance(size, int):
            found.append((size, f"{name}({size}, {config.output_dim})", span, bool(config.mask_zero)))
    if not found:
        return None
    smallest = min(found, key=lambda entry: entry[0])
    return (*smallest[:3], any(entry[3] for entry in found))


_KEEP = frozenset("part reshape transpose flip squeeze expand_dims tile concat stack".split())
"""Functions whose results are numbers that went in: of others an Embedding says nothing about the input."""


def _readers(value: Value) -> Iterator[tuple[Any, Span]]:
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if id(value) in seen or value.type.is_float:
            continue
        seen.add(id(value))
        for node in value.uses:
            config = node.layer.config
            yield config, node.layer.span
            if not config.is_function or config.title() in _KEEP:
                waiting.extend(node.results)
