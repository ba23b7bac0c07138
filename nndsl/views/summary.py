"""What a summary of a model says, as data: its layers with shapes, parameters and multiply-adds, and their totals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nndsl.ir.dims import Dim, DimTooComplex
from nndsl.ir.graph import Model, Node, Output
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer, Weight
from nndsl.passes.flatten import flatten
from nndsl.records import record
from nndsl.views.calls import call_numbers, call_text, value_name, value_text

BYTES = {
    "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8,
    "int8": 1, "uint8": 1, "bool": 1, "int16": 2, "int32": 4, "int64": 8,
}  # fmt: skip


@record
class Row:
    """One input, or one call of a layer. `parameters` are counted at the first call of a layer; `multiply_adds` is for
    one sample, None where the formula is too large to follow."""

    name: str
    type: str
    arguments: str
    inputs: tuple[str, ...]
    results: tuple[TensorType, ...]
    trainable: int = 0
    frozen: int = 0
    multiply_adds: Dim | None = 0
    call: int = 1
    calls: int = 1

    @property
    def parameters(self) -> int:
        return self.trainable + self.frozen


@record
class OutputRow:
    """An output as it is trained: `loss` is "" where it has none."""

    name: str
    value: str
    type: TensorType
    loss: str
    weight: float
    metrics: tuple[str, ...]


@record
class Summary:
    """A model's summary. `facts` are what its free sizes must satisfy, `size` is that of all variables in bytes."""

    model: str
    file: str
    float_dtype: str
    rows: tuple[Row, ...]
    outputs: tuple[OutputRow, ...]
    submodels: tuple[str, ...]
    facts: tuple[str, ...]
    size: int

    @property
    def trainable(self) -> int:
        return sum(row.trainable for row in self.rows)

    @property
    def frozen(self) -> int:
        return sum(row.frozen for row in self.rows)

    @property
    def multiply_adds(self) -> Dim | None:
        total: Dim = 0
        for row in self.rows:
            if row.multiply_adds is None:
                return None
            try:
                total = total + row.multiply_adds
            except DimTooComplex:
                return None
        return total


def summarize(model: Model) -> Summary:
    """The summary of a checked model: inputs first, then the calls of layers in the order in which they run."""
    model = flatten(model)
    rows = [Row(item.name, "Input", "", (), (item.value.type,)) for item in model.inputs]
    numbers = call_numbers(model)
    size = 0
    for node in model.nodes:
        row, bytes_ = _row(node, model, numbers)
        rows.append(row)
        size += bytes_
    submodels = [
        f"{item.name}({', '.join(item.source_names)}) = {', '.join(item.target_names)}" for item in model.submodels
    ]
    return Summary(
        model.name,
        model.file.name,
        model.float_dtype,
        tuple(rows),
        tuple(_output(output, numbers) for output in model.outputs),
        tuple(submodels),
        tuple(dict.fromkeys(map(str, model.constraints.facts()))),
        size,
    )


def _row(node: Node, model: Model, numbers: Mapping[Node, int]) -> tuple[Row, int]:
    """The row of a call, and the bytes that its layer's variables take where this is its first call."""
    use = node.layer
    call = numbers[node]
    counted = count_variables(node, model.float_dtype) if call == 1 else Counts()
    text = call_text(use.config, whole=True)
    title = use.config.title()
    arguments = text[text.index("(") + 1 : -1]
    inputs = tuple(value_name(value, numbers) for value in node.operands())
    name = node.results[0].name if use.config.is_function else use.path
    row = Row(
        name, title, arguments, inputs, node.result_types, counted.trainable, counted.frozen, multiply_adds(node), call,
        len(use.nodes),
    )  # fmt: skip
    return row, counted.size


@record
class Counts:
    """The variables of one layer or of several: how many numbers, and how many bytes."""

    trainable: int = 0
    frozen: int = 0
    size: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.trainable + other.trainable, self.frozen + other.frozen, self.size + other.size)


def count_variables(node: Node, float_dtype: str) -> Counts:
    """The variables of the layer of a call, in a model that computes in `float_dtype`."""
    trainable = frozen = size = 0
    for weight, trains in variables(node.layer.config, node.input_types):
        trainable += weight.size * trains
        frozen += weight.size * (not trains)
        size += weight.size * BYTES[float_dtype if weight.dtype == "float" else weight.dtype]
    return Counts(trainable, frozen, size)


def multiply_adds(node: Node) -> Dim | None:
    """Multiplications with an addition that a call takes for one sample; None where the formula is too large."""
    try:
        found: Dim = node.layer.config.multiply_adds(node.input_types, node.result_types)
    except DimTooComplex:
        return None
    return found


def variables(layer: Layer, inputs: tuple[TensorType, ...], trains: bool = True) -> Iterator[tuple[Weight, bool]]:
    """The variables of a layer and of those inside it, each with whether training changes it.

    `inputs` are the types of what flows in; a layer that does not train holds those inside it back too, as in Keras.
    """
    trains = trains and getattr(layer, "trainable", True)
    for weight in layer.weights(*inputs):
        yield weight, trains and weight.trainable
    for _, child, types in layer.children():
        yield from variables(child, types, trains)


def _output(output: Output, numbers: Mapping[Node, int]) -> OutputRow:
    def spelled(entry: Any) -> str:
        return value_text(entry)

    loss = "" if output.loss is None else spelled(output.loss)
    metrics = tuple(map(spelled, output.metrics))
    return OutputRow(output.name, value_name(output.value, numbers), output.value.type, loss, output.weight, metrics)
