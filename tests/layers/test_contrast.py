"""AutoContrast and ContrastLimitedAdaptiveHistogramEqualization against real Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text, run_keras, run_torch

pytestmark = [pytest.mark.keras, pytest.mark.torch]
CLAHE = "ContrastLimitedAdaptiveHistogramEqualization"


@pytest.mark.parametrize("name", ["AutoContrast", CLAHE])
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize("declared", ["float[5, 6, 3]", "uint8[H, W, 2]"])
@pytest.mark.parametrize(
    "flow",
    [
        "AutoContrast()",
        "AutoContrast(value_range=(0, 1))",
        "AutoContrast((-0.3, 0.7))",
        "Conv2D(2, 2) -> AutoContrast()",
    ],
)
def test_auto_contrast(flow: str, declared: str) -> None:
    if "Conv2D" in flow and declared.startswith("uint8"):
        flow = f"Rescaling(1) -> {flow}"
    assert_parity(model_text(f"x -> {flow}", f"x: {declared}"), high=256)


def test_a_channel_of_one_value_stays_as_it_is() -> None:
    pair = compile_pair(model_text("x -> AutoContrast((0, 1))", "x: float[2, 3, 2]"))
    x = np.random.default_rng(0).random((2, 2, 3, 2)).astype("float32")
    x[0, ..., 1], x[1, ..., 0] = 0.3, 0
    outputs = run_torch(pair, {"x": x})[0]["y"]
    np.testing.assert_allclose(outputs, run_keras(pair, {"x": x})[0]["y"], atol=1e-6)
    assert (outputs[0, ..., 1] == x[0, ..., 1]).all()


@pytest.mark.parametrize(
    ("before", "options"),
    [
        ("Rescaling(60, offset=128)", "()"),
        ("Rescaling(60, offset=128)", "(tile_grid_size=(2, 3))"),
        ("Rescaling(60, offset=128)", "(tile_grid_size=(3, 2), clip_limit=0)"),
        ("Rescaling(60, offset=128)", "(tile_grid_size=(1, 1), clip_limit=1.5)"),
        ("Rescaling(0.2, offset=0.5)", "((0, 1), 2, (2, 3))"),
        ("Rescaling(1)", "((-0.3, 0.7), 2, (2, 3))"),
    ],
)
@pytest.mark.parametrize("declared", ["float[9, 10, 3]", "float[H, W, 2]"])
def test_clahe(before: str, options: str, declared: str) -> None:
    sizes = {"H": 11, "W": 13}
    assert_parity(model_text(f"x -> {before} -> {CLAHE}{options}", f"x: {declared}"), sizes=sizes)


def test_clahe_of_integers_is_float_called_and_predicting() -> None:
    """Keras's layer cuts integers off where it is called, not where it predicts."""
    pair = assert_parity(model_text(f"x -> {CLAHE}(tile_grid_size=(2, 2))", "x: uint8[9, 10, 3]"), high=256)
    x = np.random.default_rng(0).integers(0, 256, (2, 9, 10, 3)).astype("uint8")
    predicted = pair.keras.predict(x, verbose=0)["y"]
    np.testing.assert_allclose(run_torch(pair, {"x": x})[0]["y"], predicted, atol=1e-3)
    layer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))
    assert np.abs(np.asarray(layer(x), "float32") - predicted).max() > 0.1


@pytest.mark.parametrize(
    ("layer", "tolerance"),
    [
        ("AutoContrast()", 1e-12),
        ("AutoContrast((0.1, 0.7))", 1e-12),  # whose bounds pass through float32
        (f"Rescaling(60, offset=128) -> {CLAHE}(tile_grid_size=(2, 4))", 1e-6),
        (f"{CLAHE}((-1, 1), 3)", 1e-6),
    ],
)
def test_float64(layer: str, tolerance: float) -> None:
    text = model_text(f"x -> {layer}", "x: float[9, 10, 3]", options="float = float64")
    assert_parity(text, tolerance=tolerance)


@pytest.mark.parametrize(
    "flow",
    [
        "AutoContrast()",
        "Conv2D(4, 2) -> AutoContrast() -> Conv2D(2, 2)",
        f"Rescaling(60, offset=128) -> {CLAHE}(tile_grid_size=(2, 4))",
        f"Conv2D(4, 2) -> Rescaling(60, offset=128) -> {CLAHE}(tile_grid_size=(2, 4)) -> Conv2D(2, 2)",
    ],
)
def test_channels_first(flow: str) -> None:
    assert_parity(model_text(f"x -> {flow}", "x: float[3, 9, 10]", options="data_format = channels_first"))


def test_images_of_a_film() -> None:
    assert_parity(model_text(f"x -> TimeDistributed({CLAHE}(tile_grid_size=(2, 2)))", "x: uint8[T, 6, 6, 2]"), high=256)


@pytest.mark.parametrize(
    ("layer", "declared", "code", "words"),
    [
        ("AutoContrast((1, 0))", "float[3, 3, 1]", "NN0215", "(0, 255)"),
        ("AutoContrast((1, 2, 3))", "float[3, 3, 1]", "NN0206", "list of 2"),
        ("AutoContrast()", "float[3, 3]", "NN0301", "[height, width, channels]"),
        (f"{CLAHE}((0, 0))", "float[8, 8, 1]", "NN0215", "Rescaling"),
        (f"{CLAHE}(tile_grid_size=4)", "float[8, 8, 1]", "NN0205", "list of 2"),
        (f"{CLAHE}()", "float[3, 8, 1]", "NN0303", "take fewer tiles"),
        (f"{CLAHE}()", "float[8]", "NN0301", "[height, width, channels]"),
    ],
)
def test_mistakes(layer: str, declared: str, code: str, words: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: {declared}"))
    assert program is None
    (found,) = list(problems)
    assert found.code == code
    assert words in f"{found.message} {found.help}"
