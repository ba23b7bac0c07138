"""The checked program: graphs of layer calls.

A *layer* is a thing with an identity (its dotted path) and weights; a *node* is one call of it; a *value* is what a
node or an input produces. A shared layer is one layer with several nodes.

Blocks and repeats are expanded: the nodes of a model are one list, in an order in which they can run. Each node knows
the *region* that it comes from, the call of a block or one round of a repeat, so that targets can write a class or a
loop for it. Values enter and leave a call of a block through *ports*, nodes that pass them on, so that inside of a
block a value is what the block calls it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nndsl.ir.types import UNKNOWN, TensorType
from nndsl.records import fresh, mutable
from nndsl.source import SourceFile, Span

if TYPE_CHECKING:
    from nndsl.ir.constraints import Constraints


@mutable
class Value:
    """What an input or a node produces. `name` is the name that a statement gives it, or ""."""

    span: Span
    name: str = ""
    producer: Node | None = None  # None: an input
    position: int = 0  # among the producer's results
    type: TensorType = UNKNOWN
    uses: list[Node] = fresh(default_factory=list)
    number: int | float | None = None  # a compile-time number in an expression: its value

    @property
    def real(self) -> Value:
        """The value itself, where ports only pass it on."""
        value = self
        while value.producer is not None and value.producer.port:
            value = value.producer.inputs[0]
        return value

    @property
    def maker(self) -> Node | None:
        """The call that it really comes from, None for an input."""
        return self.real.producer


@mutable
class Region:
    """What a node was expanded from; `parent` is the region around it, None in the model itself."""

    parent: Region | None


@mutable
class Round(Region):
    """One round of a `repeat`: `repeat` is the same object for all rounds of it, `number` counts from 0. `inputs` and
    `outputs` are what flows in and out."""

    repeat: object
    number: int
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()


@mutable
class BlockCall(Region):
    """One call of a block. Calls of a shared block have one `instance`.

    `arguments` are the values of the block's parameters, `places` where they are given. `inputs` and `outputs` are the
    ports that lead in and out, `input_names` and `output_names` what the block calls the values there.
    """

    name: str
    definition: Any
    path: str
    span: Span
    name_span: Span
    arguments: Mapping[str, object]
    shared: str = ""
    instance: object = None
    inputs: tuple[Node, ...] = ()
    outputs: tuple[Node, ...] = ()
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    places: Mapping[str, Span] = fresh(default_factory=dict)
    named: Mapping[str, Value] = fresh(default_factory=dict)  # the values of its body by name
    penalties: list[Penalty] = fresh(default_factory=list)


@mutable
class LayerUse:
    """A layer of the model: `config` is its catalogue entry with checked arguments.

    `arguments` are the places of the arguments that the file gives, `span` is the call, `name_span` its name.
    """

    path: str
    config: Any
    span: Span
    name_span: Span
    arguments: Mapping[str, Span]
    shared: str = ""  # the name of the `shared` statement
    nodes: list[Node] = fresh(default_factory=list)


@mutable
class Node:
    """One call of a layer. `tensors` are its tensor arguments by name: a value or a tuple of values."""

    layer: LayerUse
    inputs: tuple[Value, ...]
    tensors: dict[str, Value | tuple[Value, ...]]
    results: tuple[Value, ...]
    span: Span
    region: Region | None = None
    port: bool = False
    own: Any = None  # the layer with what this call says otherwise (`tokens(reverse=true)`), else None

    @property
    def config(self) -> Any:
        """The layer as this call has it."""
        return self.layer.config if self.own is None else self.own

    def operands(self) -> Iterator[Value]:
        """Every value that flows in."""
        yield from self.inputs
        for item in self.tensors.values():
            yield from item if isinstance(item, tuple) else (item,)

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        return tuple(value.type for value in self.inputs)

    @property
    def result_types(self) -> tuple[TensorType, ...]:
        return tuple(value.type for value in self.results)


@mutable
class Input:
    name: str
    value: Value
    span: Span


@mutable
class Output:
    """`loss` and `metrics` are catalogue entries; `value.type` is the output's type."""

    name: str
    value: Value
    span: Span
    name_span: Span
    loss: Any = None
    weight: float = 1.0
    metrics: tuple[Any, ...] = ()
    options: Mapping[str, Span] = fresh(default_factory=dict)  # places of `loss=`, `weight=`, `metrics=` values
    weights: SampleWeights | None = None

    @property
    def origin(self) -> Span:
        """The place of the layer that the output comes from."""
        node = self.value.maker
        return self.value.span if node is None else node.layer.name_span


@mutable
class SampleWeights:
    """An array of the data that says how much each sample counts in the loss of `output`: one number for each, or,
    where `each`, one for each place of it (each step, each pixel)."""

    name: str
    output: Output
    each: bool
    span: Span


@mutable
class Penalty:
    """A term of the loss: `weight` times `value`, or times its mean where it has a number for each sample."""

    name: str
    value: Value
    weight: float
    span: Span


@mutable
class Submodel:
    name: str
    sources: tuple[Value, ...]
    source_names: tuple[str, ...]
    targets: tuple[Value, ...]
    target_names: tuple[str, ...]
    span: Span
    nodes: tuple[Node, ...] = ()  # in order


@mutable
class DataSource:
    """`source NAME = reader(…) with …`: `reader` and `options` are checked entries and values."""

    name: str
    reader: Any
    options: dict[str, Any]
    span: Span


@mutable
class Binding:
    """`features = table[0:8] -> scale(…)`: what fills an input or output from data.

    `fields` is what stands after the source's name: None (all of it), a field name, or a slice/list of columns.
    """

    name: str
    source: str
    fields: Any
    transforms: tuple[Any, ...]
    span: Span


@mutable
class Training:
    """The `train` section with Keras's defaults where it is silent. `given` holds the settings that the file gives."""

    optimizer: Any = None
    given: dict[str, Any] = fresh(default_factory=dict)
    spans: dict[str, Span] = fresh(default_factory=dict)
    written: bool = False  # whether the file has a `train` section

    def get(self, name: str, default: Any = None) -> Any:
        return self.given.get(name, default)

    @property
    def half(self) -> str:
        """ "bfloat16" or "float16" where training computes in it, else ""."""
        precision = self.given.get("precision", "float32")
        return "" if precision == "float32" else str(precision)


@mutable
class Model:
    """One checked model. `nodes` are in an order in which they can run; `layers` in the order of their definition."""

    name: str
    comment: str
    file: SourceFile
    span: Span
    inputs: list[Input] = fresh(default_factory=list)
    layers: list[LayerUse] = fresh(default_factory=list)
    nodes: list[Node] = fresh(default_factory=list)
    blocks: list[BlockCall] = fresh(default_factory=list)
    outputs: list[Output] = fresh(default_factory=list)
    penalties: list[Penalty] = fresh(default_factory=list)
    submodels: list[Submodel] = fresh(default_factory=list)
    named: Mapping[str, Value] = fresh(default_factory=dict)
    training: Training = fresh(default_factory=Training)
    sources: list[DataSource] = fresh(default_factory=list)
    bindings: list[Binding] = fresh(default_factory=list)
    float_dtype: str = "float32"
    data_format: str = "channels_last"
    batch: int | None = None  # the fixed batch size
    held: list[Model] = fresh(default_factory=list)  # the graphs of blocks that layers hold, inner ones first
    flat: bool = False  # whether the calls of blocks have been written out
    constraints: Constraints = None  # type: ignore[assignment]


@mutable
class CheckedProgram:
    """What every stage after the checks works on: nothing in it is wrong any more."""

    file: SourceFile
    models: list[Model]

    @property
    def main(self) -> Model:
        """The model that the file is about: its last."""
        return self.models[-1]

    def find(self, name: str | None) -> Model:
        """The model of that name, the main one for None; raises LookupError."""
        if name is None:
            return self.main
        for model in self.models:
            if model.name == name:
                return model
        raise LookupError(name)
