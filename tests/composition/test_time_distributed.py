"""Blocks and layers of one's own for every step of a sequence: TimeDistributed around them, against real Keras."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from nndsl import pipeline
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


# ---------------------------------------------------------------------------------------------- emitted programs

CLIP = """# A video is classified by what its frames show and in which order.

# What one frame shows.
block Tower(filters, rate=0.1) {
    input frame
    x = frame -> Conv2D(filters, 3, padding=same, use_bias=false) -> BatchNormalization() -> ReLU()
    output features = x -> GlobalAveragePooling2D() -> Dropout(rate)
}

block Context(width) {
    input features
    output y = features -> Dense(width, activation=relu, kernel_regularizer=l2) -> LayerNormalization()
}

layer Weighted() {
    input x
    trainable weight: [x.shape[-1]] = ones
    output y = x * weight
}

model Clip {
    input clip: float[8, 32, 32, 3]
    shared frames = TimeDistributed(Tower(16))
    now = clip -> frames
    before = clip -> ZeroPadding3D(((1, 0), (0, 0), (0, 0))) -> Cropping3D(((0, 1), (0, 0), (0, 0))) -> frames
    steps = (now, before) -> Subtract() -> TimeDistributed(Context(12)) -> TimeDistributed(Weighted(), name=gate)
    output label = steps -> LSTM(24) -> Dense(5, activation=softmax) with loss=categorical_crossentropy
}
"""


@pytest.mark.parametrize("target", ["torch", "keras"])
def test_emitted(target: str, golden: Callable[[Path | str, str], None]) -> None:
    program, problems = check(CLIP)
    assert program is not None, [problem.message for problem in problems]
    golden(f"golden/clip_{target}.py", pipeline.emit(program, target))


def test_ruff_and_mypy_find_nothing(tmp_path: Path, well_typed: Callable[[Iterable[Path]], None]) -> None:
    flows = {
        "tower": ("x -> TimeDistributed(Tower(3)) -> TimeDistributed(Deep(4))", "x: float[3, 6, 4, 2]"),
        "own": ("x -> TimeDistributed(WithOwn(4)) -> Reshape((3, 2, 1)) -> TimeDistributed(Inner())", "x: float[3, 2]"),
        "mask": ("x -> Embedding(7, 3, mask_zero=true) -> TimeDistributed(Sums(4))", "x: int[2, W]"),
    }
    texts = {name: text(flow, entrance) for name, (flow, entrance) in flows.items()} | {"clip": CLIP}
    for name, source in texts.items():
        program, problems = check(source)
        assert program is not None, [(item.message, item.help) for item in problems.errors]
        for target in ("torch", "keras"):
            (tmp_path / f"{name}_{target}.py").write_text(pipeline.emit(program, target), encoding="utf-8")
    _run("ruff", "check", "--isolated", "--select", "E,F,W,I,UP,B,SIM,C4", "--line-length", "88", ".", folder=tmp_path)
    _run("ruff", "format", "--isolated", "--check", ".", folder=tmp_path)
    well_typed(tmp_path.glob("*_torch.py"))


def _run(*arguments: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_layer_inside_and_one_beside_it_are_two() -> None:
    """The paths `y.dense` and `y_dense` are one attribute."""
    assert_parity(model_text("x -> Dense(3) -> TimeDistributed(Dense(5))", "x: float[4, 2]"))


def test_weights_that_do_not_train_are_not_penalised() -> None:
    made = "TimeDistributed(Context(4)) -> TimeDistributed(Context(5), trainable=false)"
    source = CLIP.partition("model")[0] + model_text(f"x -> {made} with loss=mse", "x: float[4, 3]")
    program, _ = check(source)
    assert program is not None
    emitted = pipeline.emit(program, "torch")
    penalty = emitted[emitted.index("def penalty") :].partition("\n\n")[0]
    assert penalty.count(".weight.") == 1


# ------------------------------------------------------------------------------------------------- wrong uses

WRONG = """
block Wide(width) {
    input frame
    output code = frame -> Dense(width) -> Conv2D(3, 3)
}
block Around(width) {
    input a
    output y = a -> TimeDistributed(Wide(width))
}
block Pair() {
    input a
    input b
    output y = (a, b) -> Add()
}
block Two() {
    input a
    output y = a -> Dense(2)
    output z = a -> Dense(3)
}
block Stateful() {
    input a
    output y = a -> LSTM(3, stateful=true)
}
block Active() {
    input a
    output y = a -> Dense(3, activity_regularizer=l2)
}
block AroundActive() {
    input a
    output y = a -> Active()
}
block Penalised() {
    input a
    output y = a -> Dense(3)
    penalty size = mean(y ** 2)
}
block Endless() {
    input a
    output y = a -> Reshape((1, 1, 8)) -> TimeDistributed(Endless()) -> Flatten()
}
block Whole() {
    input a
    output y = mean(a, axis=0)
}
block Recurrent() {
    input a
    output y = a -> LSTM(3)
}
layer Mine(units) {
    input x
    trainable kernel: [x.shape[-1], units]
    output y = x @ kernel + x
}
layer Sum() {
    input x
    state total: [x.shape[-1]] = zeros
    update total = total + sum(x, axis=0)
    output y = x + total
}
"""


@pytest.mark.parametrize(
    ("flow", "code", "place", "said"),
    [
        ("x -> TimeDistributed(Wide(3))", "NN0301", "Conv2D", "in Wide(3), called at line "),
        ("x -> Around(3)", "NN0301", "Conv2D", "in Wide(3), called at line 8 | in Around(3), called at line "),
        ("x -> TimeDistributed(Pair())", "NN0215", "Pair()", "take it apart inside"),
        ("x -> TimeDistributed(Pair(b=x))", "NN0212", "b=x", "put the values together in front"),
        ("x -> TimeDistributed(Two())", "NN0215", "Two()", "put them together inside"),
        ("x -> TimeDistributed(Wide)", "NN0211", "Wide", "write `Wide(…)`"),
        ("x -> TimeDistributed(Wid(3))", "NN0202", "Wid", "did you mean `Wide`?"),
        ("x -> TimeDistributed(Wide(3, 4))", "NN0207", "4", "leave it out"),
        ("x -> TimeDistributed(Wide())", "NN0204", "Wide", "write `Wide(width=…)`"),
        ("x -> TimeDistributed(Wide(3, height=3))", "NN0203", "height", "its parameters are `width`"),
        ("x -> TimeDistributed(Wide(3, name=5))", "NN0205", "5", "must be a string"),
        ('x -> TimeDistributed(Wide(3, name="a b"))', "NN0209", '"a b"', "write `a_b`"),
        ('x -> TimeDistributed(Dense(3, name="a b"))', "NN0209", '"a b"', "write `a_b`"),
        ("x -> Reshape((32,)) -> TimeDistributed(Wide(3))", "NN0301", "TimeDistributed", "use the layer alone"),
        ("x -> Bidirectional(Wide(3))", "NN0215", "Wide(3)", "`TimeDistributed(Wide(…))`"),
        ("x -> Bidirectional(LSTM(3), backward_layer=Mine(3))", "NN0215", "Mine(3)", "`TimeDistributed(Mine(…))`"),
        ("x -> RNN(Mine(3))", "NN0215", "Mine(3)", "`TimeDistributed(Mine(…))`"),
        ("x -> RNN([LSTMCell(3), Wide(3)])", "NN0215", "[LSTMCell(3), Wide(3)]", "`TimeDistributed(Wide(…))`"),
        ("x -> Reshape((2, 2, 8)) -> TimeDistributed(Stateful())", "NN0218", "LSTM", "in Stateful(), called at line "),
        ("x -> TimeDistributed(AroundActive())", "NN0218", "l2", "in Active(), called at line 30 | in AroundActive()"),
        ("x -> TimeDistributed(Penalised())", "NN0218", "penalty size = mean(y ** 2)", "in the model"),
        ("x -> TimeDistributed(Endless())", "NN0221", "Endless", "calls itself more than 40 deep"),
        ("x -> TimeDistributed(Whole())", "NN0314", "Whole()", "reduce other axes than axis 0"),
        ("x -> TimeDistributed(Mine(3))", "NN0302", "x", "in Mine(3), called at line "),
        (
            "x -> Masking() -> TimeDistributed(Reshape((2, 4))) -> TimeDistributed(Recurrent())",
            "NN0302", "LSTM", "would use the mask of the sequence around it",
        ),
        (
            "x -> Masking() -> TimeDistributed(Reshape((2, 4))) -> TimeDistributed(LSTM(3))",
            "NN0302", "LSTM(3)", "would use the mask of the sequence around it",
        ),
    ],
)  # fmt: skip
def test_wrong(flow: str, code: str, place: str, said: str) -> None:
    program, problems = check(WRONG + model_text(flow, "x: float[4, 8] with batch=2"))
    assert program is None
    assert [problem.code for problem in problems.errors] == [code], [p.message for p in problems.errors]
    [problem] = problems.errors
    assert problem.primary.span.text == place
    assert said in " | ".join([problem.message, problem.help or "", *problem.notes])


@pytest.mark.parametrize(
    ("flow", "shared", "code", "said"),
    [
        ("(x -> made, x -> made) -> Add()", "Sum()", "NN0408", "keeps a state"),
        ("(x -> made, x -> Reshape((4, 2, 4)) -> made -> Flatten()) -> Multiply()", "Recurrent()", "NN0301", "LSTM"),
        (
            "(x -> Reshape((4, 2, 4)) -> made, x -> Reshape((4, 4, 2)) -> made) -> Add()",
            "Recurrent()",
            "NN0306",
            "agree",
        ),
    ],
)
def test_wrong_shared_uses(flow: str, shared: str, code: str, said: str) -> None:
    made = model_text(flow, "x: float[4, 8]").replace(
        "    output", f"    shared made = TimeDistributed({shared})\n    output"
    )
    _, problems = check(WRONG + made)
    assert [problem.code for problem in problems.errors] == [code]
    assert said in problems.errors[0].message


def test_what_is_not_used_inside_is_warned_of() -> None:
    source = """
block Idle() {
    input x
    unused = x -> Dense(7)
    output y = x -> Dense(3)
}
model Test {
    input x: float[4, 8]
    output y = x -> TimeDistributed(Idle())
}
"""
    program, problems = check(source)
    assert program is not None
    assert [(problem.code, problem.primary.span.text) for problem in problems] == [("NN0402", "unused")]
    assert "unused" not in pipeline.emit(program, "torch") + pipeline.emit(program, "keras")


def test_the_summary_counts_what_is_inside() -> None:
    from nndsl.views.summary import summarize

    program, _ = check(text("x -> TimeDistributed(Tower(2))", "x: float[3, 6, 4, 2]"))
    assert program is not None
    summary = summarize(program.main)
    conv, dense = 2 * 9 * 2, 12 * 4 + 4
    assert (summary.trainable, summary.frozen) == (conv + 2 * 2 + dense, 2 * 2)
    assert summary.rows[-1].arguments == "Tower(2)"
