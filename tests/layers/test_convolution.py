"""Convolutions, ordinary, depthwise and separable: against real Keras, and what is said of mistakes."""

from __future__ import annotations

import pytest

from nndsl.layers.build import make
from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]

NAMES = [
    *("Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D"),
]


@pytest.mark.parametrize("name", NAMES)
def test_signature(name: str) -> None:
    assert_signature(name)


CONFIGURATIONS = [
    ("Conv1D(4, 3)", "9, 2"),
    ("Conv1D(4, 3, padding=same)", "9, 2"),
    ("Conv1D(4, 2, padding=same)", "9, 2"),  # an even kernel: the odd zero goes behind
    ("Conv1D(4, 4, strides=3, padding=same)", "10, 2"),
    ("Conv1D(4, 3, padding=causal)", "9, 2"),
    ("Conv1D(4, 2, padding=causal, dilation_rate=3)", "9, 2"),
    ("Conv1D(4, 3, padding=causal, strides=2)", "8, 2"),
    ("Conv1D(4, 2, strides=5)", "9, 2"),
    ("Conv1D(6, 3, groups=3, dilation_rate=2, activation=relu)", "9, 3"),
    ("Conv1D(4, 5, activation=softmax)", "T, 2"),
    ("Conv1D(4, 4, padding=same)", "T, 2"),
    ("Conv1D(4, 3, strides=2, padding=same)", "T, 2"),  # padding known when the program runs
    ("Conv1D(4, 1, strides=2, padding=same)", "T, 2"),
    ("Conv1D(4, 3, strides=2, padding=causal)", "T, 2"),
    ("Conv2D(4, 3)", "6, 7, 3"),
    ("Conv2D(4, (3, 2), strides=(2, 3), padding=same, use_bias=false)", "6, 7, 3"),
    ("Conv2D(4, 3, strides=2, padding=same)", "7, 7, 3"),
    ("Conv2D(4, 3, strides=2, padding=same)", "8, 7, 3"),
    ("Conv2D(4, 2, strides=5, padding=same)", "8, 9, 3"),
    ("Conv2D(4, (1, 3), dilation_rate=(1, 2), padding=same, activation=tanh)", "6, 7, 3"),
    ("Conv2D(4, 3, groups=2, padding=same)", "6, 7, 4"),
    ("Conv2D(4, 3, strides=2, padding=same, groups=2)", "H, W, 4"),
    ("Conv2D(4, 3, activation=softmax)", "6, 7, 3"),
    ("Conv3D(3, 2)", "4, 5, 6, 2"),
    ("Conv3D(4, (3, 2, 1), strides=(1, 2, 1), padding=same, groups=2)", "4, 5, 6, 2"),
    ("Conv3D(3, 3, strides=2, padding=same)", "4, H, 6, 2"),
    ("DepthwiseConv1D(3)", "9, 2"),
    ("DepthwiseConv1D(2, strides=2, padding=same, depth_multiplier=3, activation=relu)", "9, 2"),
    ("DepthwiseConv1D(3, dilation_rate=2, use_bias=false)", "T, 2"),
    ("DepthwiseConv2D(3, strides=2, padding=same)", "8, 7, 3"),
    ("DepthwiseConv2D((2, 3), strides=(1, 2), depth_multiplier=2)", "8, 7, 3"),
    ("DepthwiseConv2D(3, strides=2, dilation_rate=2, padding=same)", "9, 8, 3"),
    ("DepthwiseConv2D(3, strides=2, dilation_rate=2)", "9, 8, 3"),
    ("DepthwiseConv2D(3, strides=2, padding=same)", "H, W, 3"),
    ("SeparableConv1D(4, 3, depth_multiplier=2)", "9, 2"),
    ("SeparableConv1D(4, 3, strides=2, dilation_rate=2, padding=same)", "9, 2"),
    ("SeparableConv2D(4, 3, padding=same, use_bias=false)", "6, 7, 3"),
    ("SeparableConv2D(4, 3, strides=2, padding=same, depth_multiplier=2, activation=relu)", "6, 7, 3"),
    ("SeparableConv2D(4, 3, strides=2, padding=same)", "H, 7, 3"),
]


@pytest.mark.parametrize(("layer", "shape"), CONFIGURATIONS)
def test_parity(layer: str, shape: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: float[{shape}]"), sizes={"T": 9, "H": 8, "W": 7})


@pytest.mark.parametrize("size", [6, 7, 8, 9, 11])
def test_free_sizes_are_padded_when_the_program_runs(size: int) -> None:
    text = model_text("x -> Conv1D(2, 4, strides=3, padding=same)", "x: float[T, 2]")
    assert_parity(text, sizes={"T": size})


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("Conv1D(4, 2, strides=2, padding=same)", "2, 9"),
        ("Conv2D(4, 3, strides=2, padding=same, activation=relu)", "3, 8, 4"),
        ("SeparableConv2D(4, 3, padding=same)", "3, 6, 7"),
        ("Conv2D(7, 3, padding=same)", "3, 6, 7"),  # as many filters as the last axis is long: Keras's own bug
    ],
)
def test_channels_first(layer: str, shape: str) -> None:
    text = model_text(f"x -> {layer}", f"x: float[{shape}]", options="data_format = channels_first")
    pair = assert_parity(text)
    assert "movedim" not in pair.texts["torch"]
    assert "channels_first" not in pair.texts["keras"]


@pytest.mark.parametrize("layer", ["Conv2D(4, 3, activation=softmax)", "DepthwiseConv2D(3, activation=softmax)"])
def test_an_activation_along_an_axis_keeps_to_it(layer: str) -> None:
    """softmax works along the last axis of the file's order, whatever order the emitted code has."""
    assert_parity(model_text(f"x -> {layer}", "x: float[3, 6, 7]", options="data_format = channels_first"))


def test_softmax_of_each_pixel_is_an_output_with_a_loss() -> None:
    flow = "x -> Conv2D(4, 3, activation=softmax) with loss=sparse_categorical_crossentropy"
    assert_parity(model_text(flow, "x: float[6, 7, 3]"))


def test_a_chain_is_permuted_at_its_ends_alone() -> None:
    flow = "x -> Conv2D(4, 3, padding=same) -> SeparableConv2D(5, 3) -> Conv2D(2, 1)"
    pair = assert_parity(model_text(flow, "x: float[8, 8, 3]"))
    assert pair.texts["torch"].count("movedim") == 2


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        ("Conv2D(8, 3, padding=same)", "nn.Conv2d(3, 8, 3, padding=1)"),
        ("Conv2D(8, (1, 3), padding=same)", "nn.Conv2d(3, 8, (1, 3), padding=(0, 1))"),
        ("Conv2D(8, 3, strides=2, padding=same)", "F.pad(x, (0, 1, 0, 1))"),
        ("Conv2D(9, 3, groups=3, use_bias=false)", "nn.Conv2d(3, 9, 3, groups=3, bias=False)"),
        ("DepthwiseConv2D(3)", "nn.Conv2d(3, 3, 3, groups=3)"),
    ],
)
def test_torch_is_written_as_by_hand(layer: str, code: str) -> None:
    assert code in compile_pair(model_text(f"x -> {layer}", "x: float[8, 8, 3]")).texts["torch"]


@pytest.mark.parametrize(
    ("layer", "shape", "code", "parts"),
    [
        ("Conv2D(1, strides=2)", "8, 8, 3", "NN0204", ["`kernel_size`"]),
        ("Conv2D(8, 5)", "4, 4, 3", "NN0303", ["kernel of 5", "height of 4", "padding=same"]),
        ("Conv1D(8, 3, dilation_rate=4)", "8, 3", "NN0303", ["kernel of 3", "spread over 9", "length of 8"]),
        ("Conv2D(8, 3, strides=2, dilation_rate=2)", "8, 8, 3", "NN0215", ["strides", "dilation_rate"]),
        ("Conv2D(8, 3, groups=3)", "8, 8, 3", "NN0215", ["8 filters", "3 groups"]),
        ("Conv2D(8, 3, groups=2)", "8, 8, 3", "NN0309", ["3 channels", "2 groups"]),
        ("Conv2D(8, 3)", "8, 3", "NN0301", ["[height, width, channels]", "[8, 3]"]),
        ("Conv2D(8, 3)", "8, 8", "NN0301", ["last axis of size 1: [8, 8, 1]"]),
        ("Conv1D(8, 3)", "8, C", "NN0304", ["`C`"]),
        ("Conv2D(8, 3, border_mode=same)", "8, 8, 3", "NN0210", ["padding"]),
        ("Conv2D(8, 3, padding=causal)", "8, 8, 3", "NN0206", ["`same`"]),
        ("Conv2D(8, (3, 3, 3))", "8, 8, 3", "NN0206", ["kernel_size"]),
        ("AtrousConvolution2D(8, 3)", "8, 8, 3", "NN0210", ["Conv2D"]),
        ("SeparableConv2D(0, 3)", "8, 8, 3", "NN0206", ["filters"]),
    ],
)
def test_mistakes(layer: str, shape: str, code: str, parts: list[str]) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: float[{shape}]"))
    assert program is None
    [problem] = [item for item in problems if item.code == code]
    text = f"{problem.message} {problem.help} {problem.notes} {[fix.title for fix in problem.fixes]}"
    for part in parts:
        assert part in text


def test_integers_are_refused() -> None:
    program, problems = check(model_text("x -> Conv1D(8, 3)", "x: int[20, 3]"))
    assert program is None and [item.code for item in problems] == ["NN0305"]


def test_multiply_adds() -> None:
    """A 3×3 kernel over 6×6 places, 4 channels in two groups, 8 filters."""
    from nndsl.ir.dims import BATCH
    from nndsl.ir.types import TensorType

    layer = make("layer", "Conv2D", filters=8, kernel_size=(3, 3), groups=2)
    x, y = TensorType((BATCH, 8, 8, 4)), TensorType((BATCH, 6, 6, 8))
    assert layer.multiply_adds((x,), (y,)) == 36 * 9 * 2 * 8
