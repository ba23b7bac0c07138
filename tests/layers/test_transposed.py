"""Transposed convolutions against real Keras."""

from __future__ import annotations

import pytest

from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]


@pytest.mark.parametrize("name", ["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"])
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_every_way_of_cropping(kernel: int, stride: int, padding: str) -> None:
    layer = f"Conv1DTranspose(2, {kernel}, strides={stride}, padding={padding})"
    assert_parity(model_text(f"x -> {layer}", "x: float[5, 3]"))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("kernel", "stride", "extra"), [(3, 2, 0), (3, 2, 1), (2, 3, 2), (4, 3, 1), (1, 2, 1), (5, 2, 1)]
)
def test_output_padding(kernel: int, stride: int, extra: int, padding: str) -> None:
    layer = f"Conv1DTranspose(2, {kernel}, strides={stride}, padding={padding}, output_padding={extra})"
    assert_parity(model_text(f"x -> {layer}", "x: float[5, 3]"))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("Conv1DTranspose(2, 3, dilation_rate=2, padding=same, activation=relu)", "6, 3"),
        ("Conv1DTranspose(2, 2, dilation_rate=3, use_bias=false)", "6, 3"),
        ("Conv1DTranspose(2, 3, strides=2, padding=same)", "T, 3"),
        ("Conv2DTranspose(4, 3, strides=2, padding=same, activation=softmax)", "4, 5, 3"),
        ("Conv2DTranspose(4, (3, 2), strides=(2, 3))", "4, 5, 3"),
        ("Conv2DTranspose(4, (3, 4), strides=2, padding=same)", "4, W, 3"),
        ("Conv2DTranspose(4, 3, strides=2, padding=same, output_padding=(1, 0))", "4, 5, 3"),
        ("Conv2DTranspose(4, 2, dilation_rate=(1, 2))", "4, 5, 3"),
        ("Conv3DTranspose(3, 3, strides=2, padding=same)", "2, 3, 4, 2"),
        ("Conv3DTranspose(3, (1, 2, 3), strides=(1, 2, 1), use_bias=false)", "2, 3, 4, 2"),
    ],
)
def test_parity(layer: str, shape: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: float[{shape}]"), sizes={"T": 6, "W": 5})


def test_channels_first() -> None:
    layer = "Conv2DTranspose(5, 3, strides=2, padding=same)"
    assert_parity(model_text(f"x -> {layer}", "x: float[3, 4, 5]", options="data_format = channels_first"))


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        ("Conv2DTranspose(8, 4, strides=2, padding=same)", "nn.ConvTranspose2d(3, 8, 4, stride=2, padding=1)"),
        ("Conv2DTranspose(8, 2, strides=2)", "nn.ConvTranspose2d(3, 8, 2, stride=2)"),
        ("Conv2DTranspose(8, 3, strides=2, padding=same)", "[..., :-1, :-1]"),
    ],
)
def test_torch_is_written_as_by_hand(layer: str, code: str) -> None:
    assert code in compile_pair(model_text(f"x -> {layer}", "x: float[8, 8, 3]")).texts["torch"]


@pytest.mark.parametrize(
    ("layer", "code", "part"),
    [
        ("Conv2DTranspose(4, 3, strides=2, output_padding=2)", "NN0215", "less than the stride"),
        ("Conv2DTranspose(4, 3, strides=2, dilation_rate=2)", "NN0215", "dilation_rate"),
        ("Deconvolution2D(4, 3)", "NN0210", "Conv2DTranspose"),
        ("Conv2DTranspose(4)", "NN0204", "kernel_size"),
        ("Conv1DTranspose(4, 3)", "NN0301", "[length, channels]"),
    ],
)
def test_mistakes(layer: str, code: str, part: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", "x: float[8, 8, 3]"))
    assert program is None
    [problem] = [item for item in problems if item.code == code]
    assert part in f"{problem.message} {problem.help}"
