"""Every activation of Keras, as a function and as a layer: values and gradients, at the kinks too."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest

from nndsl.layers import catalogue
from tests.parity_harness import assert_parity, assert_signature, check, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]

KINKS = [-25, -20, -6, -3, -2.5, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 2, 2.5, 3, 6, 7, 20, 21, 30]
NOT_FUNCTIONS = ("get", "serialize", "deserialize")
PUBLIC = sorted(name for name in dir(keras.activations) if not name.startswith("_") and name not in NOT_FUNCTIONS)


def arrays(*points: float, dtype: str = "float32") -> dict[str, np.ndarray]:
    random = np.random.default_rng(3).normal(scale=3, size=60 - len(points))
    return {"x": np.concatenate([points, random]).reshape(3, 20).astype(dtype)}


def test_all_of_keras_is_there_but_for_what_is_broken_there() -> None:
    assert set(PUBLIC) - set(catalogue.names("activation")) == {"sparsemax"}
    assert set(catalogue.names("activation")) <= set(PUBLIC)


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "sparsemax"])
def test_arguments(name: str) -> None:
    cls = catalogue.find("activation", name)
    assert cls is not None
    expected = list(inspect.signature(getattr(keras.activations, name)).parameters.values())[1:]
    assert [(a.name, a.required) for a in cls.arguments.values()] == [
        (p.name, p.default is inspect.Parameter.empty) for p in expected
    ]
    for parameter in expected:
        ours = cls.arguments[parameter.name]
        assert ours.required or ours.default == parameter.default


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in ("sparsemax", "threshold", "exponential")])
def test_parity(name: str) -> None:
    assert_parity(model_text(f"x -> Activation({name})", "x: float[20]"), arrays=arrays(*KINKS), tolerance=2e-6)


CONFIGURED = [
    *("exponential", "threshold(1, 0.5)", "threshold(-1, 3)", "elu(alpha=0.5)", "celu(alpha=2)", "squareplus(b=1)"),
    *("gelu(approximate=true)", "leaky_relu(negative_slope=0.5)", "soft_shrink(1)", "hard_shrink(1)"),
    *("relu(negative_slope=0.1)", "relu(max_value=6)", "relu(max_value=3)", "relu(threshold=1)"),
    *("relu(0.1, 6)", "relu(0.1, 3)", "relu(0.1, none, 1)", "relu(0.1, 6, 1)", "relu(0, 3, -1)"),
]


@pytest.mark.parametrize("name", CONFIGURED)
def test_parity_with_arguments(name: str) -> None:
    points = [-3, -1, -0.5, 0, 0.5, 1, 2, 3, 6] if name == "exponential" else KINKS
    assert_parity(model_text(f"x -> Activation({name})", "x: float[20]"), arrays=arrays(*points), tolerance=2e-6)


@pytest.mark.parametrize("name", ["softplus", "mish", "hard_sigmoid", "hard_silu", "selu", "sparse_sigmoid"])
def test_parity_in_float64(name: str) -> None:
    text = model_text(f"x -> Activation({name})", "x: float[20]", options="float = float64")
    assert_parity(text, arrays=arrays(*KINKS, dtype="float64"), tolerance=1e-11)


@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax"])
def test_signature(name: str) -> None:
    assert_signature(name)


LAYERS = [
    *("ReLU()", "ReLU(6)", "ReLU(max_value=3, negative_slope=0.1)", "ReLU(threshold=1)", "ReLU(6, 0.1, 1)"),
    *("LeakyReLU()", "LeakyReLU(0.1)", "ELU()", "ELU(0.5)", "PReLU()", "Softmax()", "Softmax(axis=1)"),
]


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_parity(layer: str) -> None:
    assert_parity(model_text(f"x -> {layer}", "x: float[20]"), arrays=arrays(*KINKS), tolerance=2e-6)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("Softmax(axis=1)", "4, 5"),
        ("Softmax(axis=[1, 2])", "4, 5, 2"),
        ("Softmax(axis=[-1])", "4, 5"),
        ("PReLU()", "4, 5"),
        ("PReLU(shared_axes=1)", "T, 5"),
        ("PReLU(shared_axes=[1, 2])", "4, 5, 3"),
        ("Conv2D(4, 3) -> PReLU()", "5, 6, 3"),
        ("Conv2D(4, 3) -> PReLU(shared_axes=[1, 2]) -> Conv2D(2, 1)", "5, 6, 3"),
        ("Conv2D(4, 3) -> Softmax() -> Conv2D(2, 1)", "5, 6, 3"),
    ],
)
def test_layer_parity_over_axes(layer: str, shape: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: float[{shape}]"))


@pytest.mark.parametrize(
    ("layer", "shape", "code", "words"),
    [
        ("ReLU()", "int[3]", "NN0305", "gets int[3]"),
        ("ReLU(max_value=-1)", "float[3]", "NN0206", "`max_value`"),
        ("PReLU()", "float[T, 3]", "NN0304", "T"),
        ("PReLU(shared_axes=3)", "float[2, 3]", "NN0308", "axis 3"),
        ("Softmax(axis=0)", "float[2]", "NN0308", "batch"),
        ("Softmax(axis=[1, -1])", "float[2]", "NN0308", "twice"),
        ("Embedding(3, 4, mask_zero=true) -> Softmax()", "int[5]", "NN0302", "mask"),
        ("LeakyReLU(alpha=0.1)", "float[3]", "NN0210", "`negative_slope`"),
        ("ThresholdedReLU(1)", "float[3]", "NN0210", "`ReLU`"),
    ],
)
def test_mistakes(layer: str, shape: str, code: str, words: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: {shape}"))
    assert program is None
    (found,) = list(problems)
    assert (found.code, words in found.message) == (code, True), found.message
