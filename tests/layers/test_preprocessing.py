"""Rescaling and Normalization against real Keras."""

from __future__ import annotations

import numpy as np
import pytest

from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]


@pytest.mark.parametrize("name", ["Rescaling", "Normalization"])
def test_signature(name: str) -> None:
    assert_signature(name)


FLOWS = [
    ("Rescaling(1 / 255)", "uint8[4, 4, 3]"),
    ("Rescaling(1 / 127.5, offset=-1)", "float[T, 3]"),
    ("Rescaling([0.1, 0.2, 0.3], offset=[1, 2, 3])", "int[4, 4, 3]"),
    ("Rescaling([0.1], offset=0.3)", "bool[]"),
    ("Conv2D(3, 2) -> Rescaling([0.1, 0.2, 0.3]) -> Conv2D(3, 2)", "float[6, 6, 3]"),
    ("Normalization(axis=none, mean=0.1, variance=4)", "float[]"),
    ("Normalization(mean=3, variance=0.7, invert=true)", "uint8[4]"),
    ("Normalization(mean=[0.485, 0.456, 0.406], variance=[0.0524, 0.0502, 0])", "float[4, 4, 3]"),
    ("Normalization(mean=[3, 4, 5], variance=[0.1, 0.2, 0.3], invert=true)", "int64[T, 3]"),
    ("Normalization(axis=1, mean=[3, 4], variance=[0.1, 0.2])", "float[2, 5, 3]"),
    ("Normalization(axis=[3, 1], mean=[[3, 4, 5], [6, 7, 8]], variance=[[1, 2, 3], [4, 5, 6]])", "float[2, 5, 3]"),
    ("Normalization(axis=[1, 3], mean=[3, 4, 5], variance=[1, 2, 3])", "float[2, 5, 3]"),
    ("Normalization(axis=[1, 2], mean=[[1], [2]], variance=[[1], [2]])", "float[2, 5, 3]"),
    ("Normalization(axis=none, mean=1, variance=3)", "float[2, 5, 3]"),
    ("Normalization()", "float[4, 3]"),
    ("Normalization(axis=none, invert=true)", "uint8[4, 3]"),
    ("Normalization(axis=1)", "float[4, 5, 3]"),
    ("Normalization(axis=(1, -1), trainable=false)", "float[4, 5, 3]"),
    ("Normalization() -> Conv2D(2, 2)", "float[4, 5, 3]"),
]


@pytest.mark.parametrize(("layer", "declared"), FLOWS)
def test_parity(layer: str, declared: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: {declared}"))


@pytest.mark.parametrize("layer", [layer for layer, _ in FLOWS[1:3]] + [layer for layer, _ in FLOWS[7:9]])
def test_float64_has_the_constants_of_float32(layer: str) -> None:

    assert_parity(model_text(f"x -> {layer}", "x: float[4, 3]", options="float = float64"), tolerance=1e-12)


@pytest.mark.parametrize("layer", ["Rescaling([0.1, 0.2])", "Normalization(axis=1)", "Rescaling(2)"])
def test_channels_first(layer: str) -> None:
    """Lists count along the file's last axis."""
    flow = f"x -> Conv2D(3, 2) -> {layer} -> Conv2D(2, 1)"
    assert_parity(model_text(flow, "x: float[3, 4, 3]", options="data_format = channels_first"))


@pytest.mark.parametrize("layer", ["Rescaling(2)", "Normalization()"])
def test_masks_pass(layer: str) -> None:
    flow = f"x -> Embedding(5, 3, mask_zero=true) -> {layer} -> GlobalAveragePooling1D()"
    assert_parity(model_text(flow, "x: int[6]"))


def test_statistics_count_as_weights_and_are_saved() -> None:
    pair = compile_pair(model_text("x -> Normalization()", "x: float[4, 4, 3]"))
    assert sum(int(np.prod(v.shape)) for v in pair.keras.weights) == 7
    assert {key: tuple(tensor.shape) for key, tensor in pair.torch.state_dict().items()} == {
        "y.mean": (3,),
        "y.variance": (3,),
        "y.count": (),
    }
    fresh = type(pair.torch)().state_dict()
    assert [float(fresh[f"y.{name}"].sum()) for name in ("mean", "variance", "count")] == [0, 3, 0]


@pytest.mark.parametrize(
    ("layer", "declared", "code", "words"),
    [
        ("Rescaling()", "float[3]", "NN0204", "scale"),
        ("Rescaling([1, 2])", "float[4, 3]", "NN0302", "2 numbers"),
        ("Rescaling([1, 2])", "float[]", "NN0302", "one number"),
        ("Rescaling(2, offset=[1, 2])", "float[3]", "NN0302", "`offset`"),
        ("Normalization(mean=1)", "float[3]", "NN0215", "together"),
        ("Normalization(mean=[1, 2], variance=3)", "float[3]", "NN0215", "same shape"),
        ("Normalization(mean=[[1, 2], [3]], variance=[[1, 2], [3]])", "float[3]", "NN0215", "same shape"),
        ("Normalization(mean=[[1, 2, 3]], variance=[[1, 2, 3]])", "float[3]", "NN0215", "2 axes"),
        ("Normalization(mean=1, variance=-1)", "float[3]", "NN0206", "0 or more"),
        ("Normalization(mean=[1, 2], variance=[1, 2])", "float[3]", "NN0302", "3 places"),
        ("Normalization(axis=0)", "float[3]", "NN0308", "each once"),
        ("Normalization(axis=[1, -1])", "float[3]", "NN0308", "each once"),
        ("Normalization(axis=2)", "float[3]", "NN0308", "no axis 2"),
        ("Normalization(axis=1)", "float[T, 3]", "NN0304", "`T`"),
    ],
)
def test_mistakes(layer: str, declared: str, code: str, words: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: {declared}"))
    assert program is None
    (found,) = list(problems)
    assert found.code == code
    assert words in f"{found.message} {found.help}"
