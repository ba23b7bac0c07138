"""GroupNormalization, RMSNormalization, UnitNormalization against real Keras."""

from __future__ import annotations

import pytest

from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]


@pytest.mark.parametrize("name", ["GroupNormalization", "RMSNormalization", "UnitNormalization"])
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("GroupNormalization(2)", "6"),
        ("GroupNormalization(3)", "5, 6"),
        ("GroupNormalization(groups=-1)", "T, 4"),
        ("GroupNormalization(groups=1, epsilon=1e-6)", "4, 5, 6"),
        ("GroupNormalization(2, axis=1)", "4, 5, 3"),
        ("GroupNormalization(5, axis=2)", "4, 5, 3"),
        ("GroupNormalization(5, axis=-2)", "4, 5, 3"),
        ("GroupNormalization(2, center=false)", "4, 5, 6"),
        ("GroupNormalization(2, scale=false)", "4, 5, 6"),
        ("GroupNormalization(2, scale=false, center=false)", "4, 5, 6"),
        ("GroupNormalization(2, trainable=false)", "2, 3, 4, 6"),
        ("Conv2D(4, 3) -> GroupNormalization(2) -> Conv2D(4, 3)", "6, 6, 3"),
        ("RMSNormalization()", "6"),
        ("RMSNormalization(epsilon=0.01)", "T, 6"),
        ("RMSNormalization(axis=[-1, -2])", "3, 4, 6"),
        ("RMSNormalization(axis=[2, 3], trainable=false)", "3, 4, 6"),
        ("RMSNormalization(axis=3)", "3, 4, 6"),
        ("Conv2D(4, 3) -> RMSNormalization() -> Conv2D(4, 3)", "6, 6, 3"),
        ("UnitNormalization()", "6"),
        ("UnitNormalization(axis=1)", "T, 6"),
        ("UnitNormalization(axis=0)", "6"),
        ("UnitNormalization(axis=[1, -1])", "4, 5, 6"),
        ("UnitNormalization(axis=[2])", "4, 5, 6"),
        ("Conv2D(4, 3) -> UnitNormalization() -> Conv2D(4, 3)", "6, 6, 3"),
        ("Conv2D(4, 3) -> UnitNormalization(axis=[1, 3]) -> Conv2D(4, 3)", "6, 6, 3"),
    ],
)
def test_normalization(layer: str, shape: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: float[{shape}]"))


def test_one_number_for_each_channel() -> None:
    """torch's own layer refuses it: the result is beta."""
    assert_parity(model_text("x -> GroupNormalization(groups=-1)", "x: float[6]"), batch=1)


@pytest.mark.parametrize("layer", ["GroupNormalization(3, axis=1)", "UnitNormalization(axis=1)", "RMSNormalization()"])
@pytest.mark.parametrize("before", ["", "Conv2D(6, 2) -> "])
def test_channels_first(before: str, layer: str) -> None:
    text = model_text(f"x -> {before}{layer}", "x: float[3, 4, 5]", options="data_format = channels_first")
    assert_parity(text)


def test_between_convolutions_no_axes_are_moved() -> None:
    pair = compile_pair(model_text("x -> Conv2D(4, 3) -> GroupNormalization(2) -> Conv2D(4, 3)", "x: float[9, 9, 3]"))
    forward = pair.texts["torch"].split("def forward")[1].split("return {")[0]
    assert forward.count("movedim") == 1  # at the input


@pytest.mark.parametrize("layer", ["GroupNormalization(3)", "UnitNormalization()", "RMSNormalization()"])
def test_masks(layer: str) -> None:
    """The mask goes on, but behind RMSNormalization, where Keras loses it."""
    flow = f"x -> Embedding(5, 3, mask_zero=true) -> {layer} -> GlobalAveragePooling1D()"
    assert_parity(model_text(flow, "x: int[6]"), batch=4)


@pytest.mark.parametrize(
    ("layer", "shape", "code", "part"),
    [
        ("GroupNormalization()", "5, 4", "NN0309", "groups=4"),
        ("GroupNormalization(3)", "5, 8", "NN0309", "groups=2"),
        ("GroupNormalization(0)", "5, 4", "NN0206", "-1"),
        ("GroupNormalization(2, axis=0)", "5, 4", "NN0304", "batch"),
        ("GroupNormalization(2, axis=1)", "T, 4", "NN0304", "`T`"),
        ("GroupNormalization(2, axis=3)", "5, 4", "NN0308", "no axis 3"),
        ("RMSNormalization(axis=1)", "5, 4", "NN0308", "last axis"),
        ("RMSNormalization(axis=[0, 1, 2])", "5, 4", "NN0308", "last axis"),
        ("RMSNormalization()", "5, F", "NN0304", "`F`"),
        ("UnitNormalization(axis=[1, -2])", "5, 4", "NN0308", "twice"),
        ("UnitNormalization(axis=4)", "5, 4", "NN0308", "no axis 4"),
    ],
)
def test_mistakes(layer: str, shape: str, code: str, part: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: float[{shape}]"))
    assert program is None
    [problem] = list(problems)
    assert problem.code == code
    assert part in f"{problem.message} {problem.help}"
