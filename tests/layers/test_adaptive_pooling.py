"""Poolings to a given size against real Keras."""

from __future__ import annotations

import numpy as np
import pytest

from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]
KINDS = ("Max", "Average")
NAMES = [f"Adaptive{kind}Pooling{rank}D" for kind in KINDS for rank in (1, 2, 3)]
FLOAT64 = "float = float64"


@pytest.mark.parametrize("name", NAMES)
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("Pooling1D(3)", "9, 2"),
        ("Pooling1D(4)", "9, 2"),
        ("Pooling1D(7)", "10, 2"),
        ("Pooling1D(9)", "9, 2"),
        ("Pooling1D(13)", "9, 2"),
        ("Pooling1D(1)", "5, 2"),
        ("Pooling1D([2])", "3, 2"),
        ("Pooling2D(2)", "6, 7, 3"),
        ("Pooling2D((3, 5))", "7, 6, 3"),
        ("Pooling2D((9, 2))", "5, 6, 3"),
        ("Pooling2D(1)", "5, 6, 3"),
    ],
)
def test_parity(kind: str, layer: str, shape: str) -> None:
    flow = f"x -> Adaptive{kind}{layer}"
    assert_parity(model_text(flow, f"x: float[{shape}]"), tolerance=1e-6)
    assert_parity(model_text(flow, f"x: float[{shape}]", options=FLOAT64), tolerance=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", ["Pooling3D(2)", "Pooling3D((3, 1, 5))"])
def test_parity_of_volumes(kind: str, layer: str) -> None:
    """TensorFlow pools volumes in float32 alone."""
    assert_parity(model_text(f"x -> Adaptive{kind}{layer}", "x: float[4, 5, 6, 2]"), tolerance=1e-6)


def test_averages_over_an_axis_of_one_place() -> None:
    """Which Keras cannot do for maxima."""
    assert_parity(model_text("x -> AdaptiveAveragePooling2D((3, 1))", "x: float[1, 4, 2]"), tolerance=1e-6)


@pytest.mark.parametrize(
    ("layer", "shape"), [("1D(3)", (8, 1)), ("2D((2, 3))", (5, 7, 1)), ("2D((5, 2))", (5, 7, 1)), ("2D(1)", (4, 4, 1))]
)
def test_equal_maxima(layer: str, shape: tuple[int, ...]) -> None:
    """Which of them gets the gradient: few different numbers make many ties."""
    random = np.random.default_rng(3)
    arrays = {"x": random.integers(0, 2, (16, *shape)).astype("float32")}
    sizes = ", ".join(map(str, shape))
    assert_parity(model_text(f"x -> AdaptiveMaxPooling{layer}", f"x: float[{sizes}]"), arrays=arrays, tolerance=1e-6)


@pytest.mark.parametrize(
    "flow",
    ["AdaptiveMaxPooling2D((2, 3))", "AdaptiveAveragePooling2D(4)", "Conv2D(4, 3) -> AdaptiveAveragePooling2D((2, 3))"],
)
def test_channels_first(flow: str) -> None:
    assert_parity(model_text(f"x -> {flow}", "x: float[3, 6, 7]", options="data_format = channels_first"))


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        ("AdaptiveAveragePooling2D(2)", "F.adaptive_avg_pool2d(x, 2)"),
        ("AdaptiveAveragePooling2D((2, 4))", "F.adaptive_avg_pool2d(x, (2, 4))"),
        ("AdaptiveMaxPooling2D((2, 4))", "F.adaptive_max_pool2d(x.mT, (4, 2)).mT"),
        ("AdaptiveMaxPooling2D((2, 8))", "F.adaptive_max_pool2d(x, (2, 8))"),
        ("AdaptiveMaxPooling2D(1)", ".amax(dim=(2, 3), keepdim=True)"),
    ],
)
def test_torch_is_written_as_by_hand(layer: str, code: str) -> None:
    assert code in compile_pair(model_text(f"x -> {layer}", "x: float[8, 8, 3]")).texts["torch"]


@pytest.mark.parametrize(
    ("layer", "shape", "code", "part"),
    [
        ("AdaptiveAveragePooling2D()", "8, 8, 3", "NN0204", "output_size"),
        ("AdaptiveAveragePooling2D(0)", "8, 8, 3", "NN0206", "output_size"),
        ("AdaptiveAveragePooling2D((1, 2, 3))", "8, 8, 3", "NN0206", "2 of them"),
        ("AdaptiveMaxPooling2D(2)", "8, W, 3", "NN0304", "`GlobalMaxPooling2D()` takes any size"),
        ("AdaptiveMaxPooling2D((1, 2))", "8, 8, 3", "NN0218", "pool over the whole height with a `MaxPooling2D`"),
        ("AdaptiveMaxPooling1D(2)", "1, 3", "NN0218", "on a length of 1"),
        ("AdaptiveMaxPooling1D(2)", "8, 8, 3", "NN0301", "[length, channels]"),
        ("AdaptiveAvgPool2d(2)", "8, 8, 3", "NN0202", "AdaptiveAveragePooling2D"),
    ],
)
def test_mistakes(layer: str, shape: str, code: str, part: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: float[{shape}]"))
    assert program is None
    [problem] = [item for item in problems if item.code == code]
    assert part in f"{problem.message} {problem.help}"


def test_integers_are_refused() -> None:
    program, problems = check(model_text("x -> AdaptiveMaxPooling1D(2)", "x: int[20, 3]"))
    assert program is None and [item.code for item in problems] == ["NN0305"]
