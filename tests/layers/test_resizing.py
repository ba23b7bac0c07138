"""Resizing and CenterCrop against real Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.parity_harness import (
    assert_parity,
    assert_signature,
    check,
    compile_pair,
    model_text,
    random_inputs,
    run_keras,
)

pytestmark = [pytest.mark.keras, pytest.mark.torch]
METHODS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "area")


@pytest.mark.parametrize("name", ["Resizing", "CenterCrop"])
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize("options", ["4, 5", "16, 13", "4, 13, antialias=true", "16, 3, antialias=true"])
@pytest.mark.parametrize("method", METHODS)
def test_methods(method: str, options: str) -> None:
    # TensorFlow has no gradient of `area`
    flow, dtype = ("x -> Rescaling(0.37)", "int") if method == "area" else ("x", "float")
    height = "H" if "13" in options else "8"
    flow = f"{flow} -> Resizing({options}, interpolation={method})"
    assert_parity(model_text(flow, f"x: {dtype}[{height}, 9, 3]"), sizes={"H": 8})


@pytest.mark.parametrize("method", METHODS)
def test_integers_become_floats(method: str) -> None:
    text = model_text(f"x -> Resizing(5, 4, interpolation={method})", "x: uint8[8, 9, 3]")
    assert_parity(text, high=256)


def test_a_model_of_keras_says_the_same_called_and_predicting() -> None:
    """Keras's layer rounds integers where it is called, not where it predicts."""
    pair = compile_pair(model_text("x -> Resizing(5, 4)", "x: uint8[8, 9, 3]"))
    arrays = random_inputs(pair.model, high=256)
    outputs, _ = run_keras(pair, arrays)
    predicted = pair.keras.predict(arrays["x"], verbose=0)
    np.testing.assert_allclose(outputs["y"], predicted["y"], atol=1e-5)
    layer = keras.layers.Resizing(5, 4)
    assert np.abs(np.asarray(layer(arrays["x"]), "float32") - predicted["y"]).max() > 0.1


FLOWS = [
    "Resizing(8, 9)",
    "Resizing(5, 15, pad_to_aspect_ratio=true)",
    "Resizing(20, 5, pad_to_aspect_ratio=true, fill_value=2)",
    "Resizing(20, 5, crop_to_aspect_ratio=true)",
    "Resizing(5, 15, crop_to_aspect_ratio=true)",
    "Resizing(8, 3, crop_to_aspect_ratio=true)",
    "Resizing(1, 100, crop_to_aspect_ratio=true, interpolation=bicubic)",
    "CenterCrop(4, 4)",
    "CenterCrop(5, 9)",
    "CenterCrop(8, 9)",
    "CenterCrop(10, 4)",
    "CenterCrop(10, 20)",
]


@pytest.mark.parametrize("layer", FLOWS)
@pytest.mark.parametrize("declared", ["float[8, 9, 3]", "int[H, W, 3]"])
def test_proportions(layer: str, declared: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: {declared}"), sizes={"H": 23, "W": 31})


def test_a_known_height_that_is_too_small() -> None:
    assert_parity(model_text("x -> CenterCrop(10, 4)", "x: float[8, W, 3]"), sizes={"W": 9})


@pytest.mark.parametrize(
    ("layer", "tolerance"),
    [
        ("CenterCrop(4, 5)", 1e-12),
        ("CenterCrop(9, 20)", 1e-6),  # resized, which TensorFlow does in float32
        ("Resizing(3, 20)", 1e-6),
        ("Resizing(3, 20, interpolation=nearest)", 1e-12),
        ("Resizing(3, 20, interpolation=bicubic)", 1e-6),
        ("Resizing(12, 20, interpolation=area, pad_to_aspect_ratio=true, fill_value=0.1)", 1e-6),
    ],
)
def test_float64(layer: str, tolerance: float) -> None:
    flow, dtype = (f"x -> Rescaling(0.37) -> {layer}", "int") if "area" in layer else (f"x -> {layer}", "float")
    text = model_text(flow, f"x: {dtype}[8, 9, 3]", options="float = float64")
    assert_parity(text, tolerance=tolerance)


@pytest.mark.parametrize("layer", [*FLOWS[:5], "CenterCrop(4, 4)", "CenterCrop(10, 4)", "Resizing(3, 4, lanczos3)"])
def test_channels_first(layer: str) -> None:
    options = "data_format = channels_first"
    assert_parity(model_text(f"x -> {layer}", "x: float[3, 8, 9]", options=options))
    assert_parity(model_text(f"x -> Conv2D(2, 2) -> {layer} -> Conv2D(2, 2)", "x: float[3, 9, 10]", options=options))


@pytest.mark.parametrize("layer", ["Resizing(5, 4)", "CenterCrop(3, 4)", "Resizing(7, 4, nearest)"])
@pytest.mark.parametrize("dtype", ["float", "uint8"])
def test_images_of_a_film(layer: str, dtype: str) -> None:
    assert_parity(model_text(f"x -> TimeDistributed({layer})", f"x: {dtype}[T, 6, 6, 2]"), high=256)


def test_torch_is_written_as_by_hand() -> None:
    def line(layer: str, declared: str = "uint8[8, 9, 3]") -> str:
        text = compile_pair(model_text(f"x -> {layer} -> Flatten() -> Dense(2)", f"x: {declared}")).texts["torch"]
        return "\n".join(text.split("def forward")[1].split("\n"))

    assert 'F.interpolate(x, size=(4, 5), mode="bilinear")' in line("Resizing(4, 5)", "float[8, 9, 3]")
    assert 'F.interpolate(x.float(), size=(4, 5), mode="nearest-exact")' in line("Resizing(4, 5, nearest)")
    assert "x[:, :, 2:6, 2:6].float()" in line("CenterCrop(4, 4)")
    assert "resize_lanczos(x, (4, 5), 3)" in line("Resizing(4, 5, lanczos3)", "float[8, 9, 3]")
    assert "F.pad(" in line("Resizing(5, 15, pad_to_aspect_ratio=true)")


@pytest.mark.parametrize(
    ("layer", "declared", "code", "words"),
    [
        ("Resizing(8)", "float[8, 8, 3]", "NN0204", "width"),
        ("Resizing(0, 8)", "float[8, 8, 3]", "NN0206", "positive"),
        ("Resizing(4, 4)", "float[8, 8]", "NN0301", "[height, width, channels]"),
        ("Resizing(4, 4, interpolation=linear)", "float[8, 8, 3]", "NN0206", "`bilinear`"),
        ("Resizing(4, 4, fill_mode=reflect)", "float[8, 8, 3]", "NN0206", "`constant`"),
        (
            "Resizing(4, 4, crop_to_aspect_ratio=true, pad_to_aspect_ratio=true)",
            "float[8, 8, 3]",
            "NN0215",
            "leave one of them out",
        ),
        ("CenterCrop(4, 4)", "float[8]", "NN0301", "[height, width, channels]"),
        ("Flatten() -> Dense(8) -> Reshape((2, 4, 1)) -> CenterCrop(4, -4)", "float[8]", "NN0206", "positive"),
    ],
)
def test_mistakes(layer: str, declared: str, code: str, words: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: {declared}"))
    assert program is None
    (found,) = list(problems)
    assert found.code == code
    assert words in f"{found.message} {found.help}"
