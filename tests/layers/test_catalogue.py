"""A walk through the catalogue: the example in each layer's documentation is compiled to both targets, and both
programs agree on outputs, gradients, parameters and state."""

from __future__ import annotations

import inspect
import re
from typing import Any

import keras
import pytest

from nndsl.diagnostics.model import Problems
from nndsl.layers import catalogue
from nndsl.layers.base import Layer
from nndsl.pipeline import check
from nndsl.source import SourceFile
from tests.parity_harness import assert_parity, compile_pair, model_text

MODULES = [
    ("layer", keras.layers),
    ("loss", keras.losses),
    ("metric", keras.metrics),
    ("optimizer", keras.optimizers),
    ("schedule", keras.optimizers.schedules),
    ("initializer", keras.initializers),
    ("regularizer", keras.regularizers),
    ("constraint", keras.constraints),
    ("activation", keras.activations),
    ("callback", keras.callbacks),
]
LAYERS = [cls for cls in catalogue.entries("layer") if issubclass(cls, Layer)]
TYPES = (
    "float[8]",
    "int[6]",
    "float[6, 4]",
    "float[12, 12, 3]",
    "float[6, 8, 8, 3]",
    "float[8, 8, 8, 2]",
    "float[32]",
    "float[784]",
    "float[20, 16]",
    "float[32, 32, 3]",
    "float[28, 28, 1]",
    "float[16, 16, 16, 1]",
    "float[3, 4, 4, 5, 2]",
)


def _text(example: str, types: tuple[str, ...]) -> str:
    """A model around an example: the names that flow in become inputs, what comes out is merged into one output."""
    head, _, flow = example.partition(" = ") if re.match(r"[\w(), ]+ = ", example) else ("y", "", example)
    source = flow.split("->")[0]
    names = list(dict.fromkeys(re.findall(r"[a-z_]\w*", source)))
    inputs = "".join(f"    input {name}: {kind}\n" for name, kind in zip(names, types * len(names), strict=False))
    targets = [name.strip() for name in head.strip("() ").split(",")]
    outputs = "".join(f"    output {name}\n" for name in targets if name != "_") if head != "y" else ""
    statement = f"    {head} = {flow}\n" if head != "y" else f"    output y = {flow}\n"
    batch = inputs.replace("\n", " with batch=3\n") if "stateful" in flow else inputs
    return f"model M {{\n{batch}{statement}{outputs}}}\n"


def _model(cls: type[Layer]) -> str:
    """The example's model, over the first type of input that it takes."""
    example = cls.documentation().partition("\nExample:\n")[2].strip()
    flat = re.sub(r"\s*\n\s*", " ", example)
    for kind in TYPES:
        text = _text(flat, (kind,))
        problems = Problems()
        if check(SourceFile("example.nn", text), problems) is not None:
            return text
    raise AssertionError(f"no type of input suits {flat!r}")


@pytest.mark.parametrize(("category", "module"), MODULES)
def test_every_public_name_of_an_entry_is_known(category: str, module: Any) -> None:
    """`AvgPool2D` is `AveragePooling2D`: where the catalogue has a class of Keras, it has all its names."""
    names: dict[int, list[str]] = {}
    for name, value in vars(module).items():
        if inspect.isclass(value) or inspect.isfunction(value):
            names.setdefault(id(value), []).append(name)
    several = 0
    for same in names.values():
        found = {catalogue.find(category, name) for name in same}
        assert len(found) == 1, f"{same} are one in Keras, and {found} here"
        several += len(same) > 1
    assert several or category not in ("layer", "initializer")


def test_a_second_name_is_the_same_layer() -> None:
    first, second = (
        pipeline_text(f"x -> {conv}(4, 3) -> {pool}(2) -> {separable}(3, 3) -> {whole}()")
        for conv, pool, separable, whole in (
            ("Conv2D", "MaxPooling2D", "SeparableConv2D", "GlobalAveragePooling2D"),
            ("Convolution2D", "MaxPool2D", "SeparableConvolution2D", "GlobalAvgPool2D"),
        )
    )
    assert first == second


def pipeline_text(flow: str) -> dict[str, str]:
    return compile_pair(model_text(flow, "x: float[16, 16, 3]")).texts


@pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)
def test_example_is_equal_in_both(cls: type[Layer]) -> None:
    assert_parity(_model(cls), training=False)
