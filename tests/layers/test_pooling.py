"""Poolings, sliding and global, against real Keras."""

from __future__ import annotations

import pytest

from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]
NAMES = [f"{kind}Pooling{rank}D" for kind in ("Max", "Average", "GlobalMax", "GlobalAverage") for rank in (1, 2, 3)]


@pytest.mark.parametrize("name", NAMES)
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("Pooling1D(2)", "9, 3"),
        ("Pooling1D(3, strides=1, padding=same)", "9, 3"),
        ("Pooling1D(2, padding=same)", "9, 3"),
        ("Pooling1D(2, strides=5)", "9, 3"),
        ("Pooling1D(2, strides=5, padding=same)", "9, 3"),
        ("Pooling1D(3, strides=2, padding=same)", "T, 3"),
        ("Pooling1D(4, strides=1, padding=same)", "T, 3"),
        ("Pooling1D(3)", "T, 3"),
        ("Pooling2D(2)", "6, 7, 3"),
        ("Pooling2D((3, 2), strides=(1, 2), padding=same)", "6, 7, 3"),
        ("Pooling2D(3, strides=2, padding=same)", "7, 7, 3"),
        ("Pooling2D(3, strides=2, padding=same)", "6, 7, 3"),
        ("Pooling2D(3, strides=2, padding=same)", "H, W, 3"),
        ("Pooling3D(2)", "4, 5, 6, 2"),
        ("Pooling3D((1, 2, 3), strides=2, padding=same)", "4, 5, 6, 2"),
        ("Pooling3D(2, strides=(2, 1, 1), padding=same)", "D, 5, 6, 2"),
    ],
)
def test_parity(kind: str, layer: str, shape: str) -> None:
    assert_parity(model_text(f"x -> {kind}{layer}", f"x: float[{shape}]"), sizes={"T": 9, "H": 8, "W": 7, "D": 5})


@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("keepdims", ["true", "false"])
@pytest.mark.parametrize(("rank", "shape"), [(1, "T, 3"), (2, "H, 7, 3"), (3, "4, 5, 6, 2")])
def test_global_parity(kind: str, keepdims: str, rank: int, shape: str) -> None:
    layer = f"Global{kind}Pooling{rank}D(keepdims={keepdims})"
    assert_parity(model_text(f"x -> {layer}", f"x: float[{shape}]"))


@pytest.mark.parametrize(
    "layer",
    [
        "MaxPooling2D(2, padding=same)",
        "AveragePooling2D(2, strides=1, padding=same)",
        "GlobalMaxPooling2D()",
        "GlobalAveragePooling2D(keepdims=true)",
        "Conv2D(4, 3) -> GlobalAveragePooling2D()",
        "Conv2D(4, 3) -> GlobalMaxPooling2D(keepdims=true)",
    ],
)
def test_channels_first(layer: str) -> None:
    assert_parity(model_text(f"x -> {layer}", "x: float[3, 6, 7]", options="data_format = channels_first"))


@pytest.mark.parametrize("flow", ["GlobalMaxPooling2D()", "GlobalAveragePooling2D(keepdims=true) -> Conv2D(2, 1)"])
def test_behind_a_convolution_nothing_is_permuted_back(flow: str) -> None:
    pair = assert_parity(model_text(f"x -> Conv2D(4, 3) -> MaxPooling2D() -> {flow}", "x: float[8, 8, 3]"))
    assert pair.texts["torch"].count("movedim") <= 2


@pytest.mark.parametrize("keepdims", ["true", "false"])
def test_masked_steps_do_not_count(keepdims: str) -> None:
    flow = f"x -> Embedding(5, 3, mask_zero=true) -> GlobalAveragePooling1D(keepdims={keepdims})"
    assert_parity(model_text(flow, "x: int[12]"), batch=6)


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        ("MaxPooling2D()", "F.max_pool2d(x, 2)"),
        ("MaxPooling2D(3, strides=2)", "F.max_pool2d(x, 3, stride=2)"),
        ("MaxPooling2D(3, strides=1, padding=same)", "F.max_pool2d(x, 3, stride=1, padding=1)"),
        ("AveragePooling2D(3, strides=1, padding=same)", "padding=1, count_include_pad=False"),
        ("GlobalAveragePooling2D()", "x.mean(dim=(1, 2))"),
    ],
)
def test_torch_is_written_as_by_hand(layer: str, code: str) -> None:
    assert code in compile_pair(model_text(f"x -> {layer}", "x: float[8, 8, 3]")).texts["torch"]


@pytest.mark.parametrize(
    ("layer", "code", "part"),
    [
        ("AveragePooling2D(3, activation=relu)", "NN0203", "put `Activation("),
        ("AveragePooling2D()", "NN0204", "pool_size"),
        ("MaxPooling2D(9)", "NN0303", "pool of 9"),
        ("MaxPooling1D(2)", "NN0301", "[length, channels]"),
        ("MaxPooling2D(2, strides=0)", "NN0206", "strides"),
        ("GlobalMaxPooling1D()", "NN0301", "[8, 8, 3]"),
    ],
)
def test_mistakes(layer: str, code: str, part: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", "x: float[8, 8, 3]"))
    assert program is None
    [problem] = [item for item in problems if item.code == code]
    assert part in f"{problem.message} {problem.help}"
