"""Blocks and layers of one's own for every step of a sequence: TimeDistributed around them, against real Keras."""

from __future__ import annotations

import numpy as np
import pytest

from tests.parity_harness import Arrays, assert_parity, check, compile_pair, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]

BLOCKS = """
block Plain(width) {
    input frame
    output code = frame -> Dense(width, activation=tanh) -> Dense(3)
}
block Tower(width, rate=0.0) {
    input frame
    x = frame -> Conv2D(width, 3, padding=same, use_bias=false) -> BatchNormalization(momentum=0.7) -> ReLU()
    output code = x -> MaxPooling2D() -> Flatten() -> Dense(4) -> Dropout(rate)
}
block Pictures(width) {
    input frame
    output y = frame -> Conv2D(width, 3, padding=same) -> MaxPooling2D()
}
block Pooled(width) {
    input frame
    output y = frame -> Conv2D(width, 3) -> GlobalAveragePooling2D()
}
block Residual(width) {
    input x
    path = x -> Dense(width, activation=relu) -> Dense(width)
    output y = (path, x -> (Dense(width) if x.shape[-1] != width else Identity())) -> Add()
}
block Deep(width, count=2) {
    input x
    y = x -> Residual(width) -> repeat count { Residual(width) -> LayerNormalization() }
    output z = (y -> Dense(3), y -> BatchNormalization(momentum=0.7)) -> Concatenate()
}
block Words(width) {
    input ids: int[W]
    output code = ids -> Embedding(7, width, mask_zero=true) -> LSTM(4)
}
block Sums(width) {
    input x
    output y = x -> Dense(width) -> LSTM(3)
}
block Centred() {
    input x
    output y = (x - mean(x, axis=0)) * 2
}
block Twice(width) {
    input x
    shared half = Residual(width)
    output y = x -> half -> half
}
block Inner() {
    input x
    output y = x -> TimeDistributed(Plain(4)) -> Flatten()
}
layer Scaled(units) {
    input x
    trainable kernel: [x.shape[-1], units]
    trainable gain: [units] = 0.5
    output y = (x @ kernel) * gain
}
layer Running() {
    input x
    state total: [x.shape[-1]] = zeros
    update total = total + sum(x, axis=0)
    output y = x + total
}
block WithOwn(units) {
    input x
    output y = x -> Scaled(units) -> Running() -> Dense(2)
}
"""


def text(flow: str, *inputs: str, options: str = "", shared: str = "") -> str:
    made = model_text(flow, *inputs, options=options)
    return BLOCKS + made.replace("    output y", f"    {shared}\n    output y") if shared else BLOCKS + made


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("flow", "shape"),
    [
        ("TimeDistributed(Plain(5))", "4, 3"),
        ("TimeDistributed(Plain(5), name=steps)", "T, 3"),
        ("TimeDistributed(Plain(5, name=head), trainable=false)", "4, 2, 3"),
        ("TimeDistributed(Tower(2))", "3, 6, 4, 2"),
        ("TimeDistributed(Tower(2), trainable=false)", "3, 6, 4, 2"),
        ("TimeDistributed(Pictures(4)) -> TimeDistributed(Flatten())", "3, 6, 4, 2"),
        ("TimeDistributed(Pictures(4)) -> TimeDistributed(Pictures(2))", "3, 8, 4, 2"),
        ("TimeDistributed(TimeDistributed(Pooled(4)))", "2, 3, 6, 4, 2"),
        ("TimeDistributed(Deep(4))", "4, 3"),
        ("TimeDistributed(Deep(4, count=3)) -> TimeDistributed(Deep(5, count=1))", "4, 3"),
        ("TimeDistributed(Sums(4))", "3, 5, 2"),
        ("TimeDistributed(Centred())", "3, 2"),
        ("TimeDistributed(Twice(3))", "4, 3"),
        ("TimeDistributed(Inner())", "3, 2, 4"),
        ("TimeDistributed(TimeDistributed(Plain(4)))", "3, 2, 4"),
        ("TimeDistributed(TimeDistributed(BatchNormalization(momentum=0.7)))", "3, 2, 4"),
        ("TimeDistributed(Scaled(4))", "3, 2"),
        ("TimeDistributed(Scaled(4, name=own, trainable=false), name=steps)", "3, 2, 2"),
        ("TimeDistributed(Running()) -> TimeDistributed(Running())", "3, 2"),
        ("TimeDistributed(WithOwn(4))", "3, 2"),
        ("repeat 3 { TimeDistributed(Residual(4)) }", "5, 4"),
        ("Plain(3) -> TimeDistributed(Plain(5))", "4, 2"),
    ],
)
def test_parity(flow: str, shape: str, training: bool) -> None:
    if "trainable=false" in flow and training and "Tower" not in flow:
        pytest.skip("the same as without training")
    assert_parity(text(f"x -> {flow}", f"x: float[{shape}]"), sizes={"T": 4}, training=training, batch=5)


@pytest.mark.parametrize("training", [False, True])
def test_channels_first(training: bool) -> None:
    flow = "x -> TimeDistributed(Pictures(4)) -> TimeDistributed(Tower(2))"
    assert_parity(text(flow, "x: float[3, 2, 8, 6]", options="data_format = channels_first"), training=training)


def test_words() -> None:
    ids = np.array([[[1, 2, 0], [3, 0, 0]], [[4, 5, 6], [1, 0, 0]]], np.int32)
    assert_parity(text("x -> TimeDistributed(Words(3))", "x: int[2, W]"), arrays={"x": ids})


def test_the_mask_of_the_steps_goes_in() -> None:
    """As Keras hands it on: the LSTM for the words of a sentence sees which are there."""
    ids = np.array([[[1, 2, 0], [3, 0, 0]], [[4, 5, 6], [1, 0, 0]]], np.int32)
    flow = "x -> Embedding(7, 3, mask_zero=true) -> TimeDistributed(Sums(4))"
    pair = assert_parity(text(flow, "x: int[2, 3]"), arrays={"x": ids})
    assert "mask" in pair.texts["torch"]


def test_a_mask_goes_past_what_does_not_need_it() -> None:
    arrays: Arrays = {"x": np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")}
    arrays["x"][0, 1:] = arrays["x"][2, 2:] = 0
    flow = "x -> Masking() -> TimeDistributed(Plain(4)) -> LSTM(3)"
    assert_parity(text(flow, "x: float[3, 2]"), arrays=arrays)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("made", ["Plain(4)", "Deep(4)", "Scaled(3)", "WithOwn(4)"])
def test_shared(made: str, training: bool) -> None:
    shared = f"shared frames = TimeDistributed({made}); first = x -> frames"
    flow = "(first, first -> Dense(3) -> frames) -> Concatenate()"
    assert_parity(text(flow, "x: float[4, 3]", shared=shared), training=training)


def test_in_a_block_of_its_own_and_shared() -> None:
    blocks = """
block Clip(width) {
    input x
    output y = x -> TimeDistributed(Plain(width)) -> LSTM(2)
}
block Steps(inner) {
    input x
    output y = x -> TimeDistributed(inner)
}
"""
    flow = (
        "(a, x -> TimeDistributed(Dense(3)) -> clip, x -> Clip(6), x -> Steps(Plain(7)) -> Flatten()) -> Concatenate()"
    )
    made = text(flow, "x: float[4, 3]", shared="shared clip = Clip(5); a = x -> clip")
    pair = assert_parity(blocks + made)
    assert "clip.y_time_distributed.plain.code_dense/kernel" in pair.weights
    assert pair.texts["torch"].count("class Plain") == 1


def test_inline_and_structured_give_the_same() -> None:
    from nndsl import pipeline
    from nndsl.targets.torch import compile_torch

    program, _ = check(
        text("x -> Deep(4) -> TimeDistributed(Deep(4)) -> TimeDistributed(Inner())", "x: float[4, 3, 3]")
    )
    assert program is not None
    one, other = compile_torch(program), compile_torch(program, inline=True)
    assert {entry.path for entry in one.state} == {entry.path for entry in other.state}
    assert "class Residual" in one.text and "class Residual" not in other.text
    assert "def residual" not in pipeline.emit(program, "keras", inline=True)


def test_one_function_for_several_uses() -> None:
    flow = "(x -> TimeDistributed(Plain(5)), x -> TimeDistributed(Plain(6)), x -> Plain(7)) -> Concatenate()"
    pair = assert_parity(text(flow, "x: float[4, 3]"))
    assert pair.texts["torch"].count("class Plain") == pair.texts["keras"].count("def plain") == 1
    assert list(pair.weights)[:2] == [
        "y_time_distributed.plain.code_dense/kernel",
        "y_time_distributed.plain.code_dense/bias",
    ]


def test_takes_all_steps_together_where_it_can() -> None:
    assert "unbind" not in compile_pair(text("x -> TimeDistributed(Pooled(4))", "x: float[3, 6, 4, 2]")).texts["torch"]
    frozen = text("x -> TimeDistributed(Tower(4), trainable=false)", "x: float[3, 6, 4, 2]")
    assert "unbind" not in compile_pair(frozen).texts["torch"]
    assert "unbind" in compile_pair(text("x -> TimeDistributed(Tower(4))", "x: float[3, 6, 4, 2]")).texts["torch"]
