"""Padding with zeros, cropping and upsampling against real Keras."""

from __future__ import annotations

import pytest

from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]
NAMES = [f"{kind}{rank}D" for kind in ("ZeroPadding", "Cropping", "UpSampling") for rank in (1, 2, 3)]


@pytest.mark.parametrize("name", NAMES)
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("ZeroPadding1D()", "4, 3"),
        ("ZeroPadding1D((2, 0))", "T, 3"),
        ("ZeroPadding2D()", "4, 5, 3"),
        ("ZeroPadding2D((0, 2))", "4, 5, 3"),
        ("ZeroPadding2D(((0, 1), (2, 3)))", "H, 5, 3"),
        ("ZeroPadding3D(2)", "2, 3, 4, 2"),
        ("ZeroPadding3D(((1, 0), (0, 0), (2, 1)))", "2, 3, 4, 2"),
        ("ZeroPadding2D(0)", "4, 5, 3"),
        ("Cropping1D()", "6, 3"),
        ("Cropping1D((0, 2))", "T, 3"),
        ("Cropping1D((2, 0))", "6, 3"),
        ("Cropping2D()", "6, 7, 3"),
        ("Cropping2D((1, 2))", "6, 7, 3"),
        ("Cropping2D(((1, 0), (0, 2)))", "H, 7, 3"),
        ("Cropping3D()", "4, 5, 6, 2"),
        ("Cropping3D(((1, 0), (0, 0), (2, 1)))", "4, 5, 6, 2"),
        ("UpSampling1D()", "4, 3"),
        ("UpSampling1D(3)", "T, 3"),
        ("UpSampling2D()", "4, 5, 3"),
        ("UpSampling2D((1, 3))", "H, 5, 3"),
        ("UpSampling2D(7)", "11, 13, 1"),
        ("UpSampling2D(2, interpolation=bilinear)", "4, 5, 3"),
        ("UpSampling2D((3, 1), interpolation=bilinear)", "H, 5, 3"),
        ("UpSampling2D((2, 3), interpolation=bicubic)", "4, 5, 3"),
        ("UpSampling2D((3, 1), interpolation=bicubic)", "H, 5, 3"),
        ("UpSampling2D(2, interpolation=lanczos3)", "4, 5, 3"),
        ("UpSampling2D((1, 3), interpolation=lanczos5)", "H, W, 2"),
        ("Dropout(0.0) -> UpSampling2D((1, 3), interpolation=lanczos5) -> Conv2D(2, 3)", "H, W, 2"),
        ("UpSampling3D()", "2, 3, 4, 2"),
        ("UpSampling3D((1, 3, 2))", "2, 3, 4, 2"),
        ("Conv1D(3, 2) -> Cropping1D(1) -> UpSampling1D(2) -> Conv1D(2, 3)", "9, 3"),
        ("Conv2D(3, 2) -> Cropping2D(1) -> UpSampling2D(2) -> ZeroPadding2D(1) -> Conv2D(2, 3)", "9, 9, 3"),
    ],
)
def test_parity(layer: str, shape: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: float[{shape}]"))


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "lanczos3"])
def test_upsampling_of_float64_is_float64(method: str) -> None:
    """Although TensorFlow interpolates in float32; it has no gradient of lanczos there."""

    layer = f"UpSampling2D((2, 3), interpolation={method})"
    flow, dtype = (f"x -> Rescaling(0.37) -> {layer}", "int") if method == "lanczos3" else (f"x -> {layer}", "float")
    text = model_text(flow, f"x: {dtype}[4, 5, 3]", options="float = float64")
    assert_parity(text, tolerance=1e-12 if method == "nearest" else 1e-6)


@pytest.mark.parametrize("layer", ["ZeroPadding2D(1)", "Cropping2D(1)", "UpSampling2D(2)", "UpSampling2D(3)"])
def test_integers_are_fine(layer: str) -> None:
    assert_parity(model_text(f"x -> {layer}", "x: int[4, 5, 3]"))


@pytest.mark.parametrize(
    ("flow", "shape"),
    [
        ("ZeroPadding2D((1, 2))", "3, 6, 7"),
        ("Cropping2D(((1, 0), (0, 2)))", "3, 6, 7"),
        ("UpSampling2D((2, 3))", "3, 6, 7"),
        ("UpSampling2D((2, 3), interpolation=bicubic)", "3, 6, W"),
        ("Conv2D(4, 3) -> UpSampling2D(2, interpolation=lanczos3)", "3, 6, 7"),
        ("Conv2D(4, 3) -> Cropping2D(((1, 0), (0, 2)))", "3, 6, 7"),
        ("Conv1D(4, 3) -> Cropping1D((1, 0))", "3, 6"),  # axis 1 in either order, as in Keras
        ("Conv1D(4, 3) -> UpSampling1D(2)", "3, 6"),
        ("Cropping1D((1, 0))", "3, 6"),
    ],
)
def test_channels_first(flow: str, shape: str) -> None:
    assert_parity(model_text(f"x -> {flow}", f"x: float[{shape}]", options="data_format = channels_first"))


def test_torch_is_written_as_by_hand() -> None:
    flow = "x -> ZeroPadding2D(1) -> UpSampling2D(2) -> Cropping2D(((1, 0), (0, 2))) -> Conv2D(4, 3)"
    text = compile_pair(model_text(flow, "x: float[8, 8, 3]")).texts["torch"]
    assert "F.pad(x, (1, 1, 1, 1))" in text
    assert "F.interpolate(" in text and ", scale_factor=2)" in text
    assert "[:, :, 1:, :-2]" in text


@pytest.mark.parametrize(
    ("layer", "code", "part"),
    [
        ("UpSampling2D(2, interpolation=linear)", "NN0206", "`bilinear`"),
        ("UpSampling2D(2, interpolation=area)", "NN0206", "`bicubic`"),
        ("Cropping2D(4)", "NN0303", "height of 8"),
        ("Cropping2D((1, -1))", "NN0206", "pairs"),
        ("ZeroPadding2D((1, 2, 3))", "NN0206", "((height: before, after), (width: before, after))"),
        ("ZeroPadding1D(1)", "NN0301", "[length, channels]"),
    ],
)
def test_mistakes(layer: str, code: str, part: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", "x: float[8, 8, 3]"))
    assert program is None
    [problem] = [item for item in problems if item.code == code]
    assert part in f"{problem.message} {problem.help}"
