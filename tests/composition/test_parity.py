"""Programs of blocks in both targets: equal outputs, gradients and states with the same weights."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("keras")

from tests.parity_harness import (  # noqa: E402
    assert_parity,
    compile_pair,
    random_inputs,
    run_keras,
    run_torch,
)

pytestmark = [pytest.mark.keras, pytest.mark.torch]

RESIDUAL = """
block Residual(filters, stride=1) {
    input x
    path = x -> Conv2D(filters, 3, strides=stride, padding=same, use_bias=false) -> BatchNormalization() -> ReLU()
        -> Conv2D(filters, 3, padding=same)
    skip = x -> Conv2D(filters, 1, strides=stride) if stride != 1 or x.shape[-1] != filters else Identity()
    output y = (path, skip) -> Add() -> ReLU()
}
"""
PROGRAMS = {
    "mask": """
block Encode(units) {
    input x
    output y = x -> Bidirectional(LSTM(units, return_sequences=true))
}
model Test {
    input words: int[T]
    output y = words -> Embedding(5, 4, mask_zero=true) -> repeat 2 { Encode(2) } -> GlobalAveragePooling1D()
}
""",
    "parameters in a list": """
model Test {
    input x: float[6]
    output y = x -> repeat 3 { Dense(6) -> LayerNormalization(scale=false) }
}
""",
    "logits": """
block Head(classes) {
    input x
    output label = x -> Dense(4, activation=relu) -> Dense(classes, activation=softmax)
}
model Test {
    input x: float[6]
    output label = x -> Head(3) with loss=sparse_categorical_crossentropy
}
""",
    "channels last": RESIDUAL
    + """
model Test {
    input image: float[9, 8, 3]
    output y = image -> Residual(4) -> repeat 2 { Residual(4) } -> Residual(6, stride=2) -> GlobalAveragePooling2D()
}
""",
    "channels first": """
block Down(filters) {
    input x
    output y = x -> Conv2D(filters, 3, activation=relu) -> MaxPooling2D(2)
}
model Test {
    options { data_format = channels_first }
    input image: float[2, 14, 15]
    output y = image -> Down(3) -> Down(4) -> Flatten() -> Dense(2)
}
""",
    "repeats": """
block Layer(units) {
    input x
    output y = (x -> Dense(units, activation=tanh) -> LayerNormalization(), x) -> Add()
}
model Test {
    input x: float[5, 4]
    a = x -> repeat 3 { Dense(4, activation=tanh) } -> repeat 3 { Layer(4) }
    b = a -> repeat i in 1..4 { Dense(2 * i) } -> repeat 2 { Dense(6) -> Dense(6) -> Layer(6) }
    output y = b -> repeat 2 { repeat 2 { Layer(6) } -> Dense(6) }
}
""",
    "several outputs": """
block Gaussian(units) {
    input x
    input context
    hidden = (x, context) -> Concatenate() -> Dense(6, activation=tanh)
    output mean = hidden -> Dense(units)
    output spread = exp(0.1 * (hidden -> Dense(units)))
}
model Test {
    input x: float[4]
    input c: float[2]
    (mean, spread) = (x, c) -> Gaussian(3)
    (again, _) = (mean, c) -> Gaussian(3)
    output y = mean * spread - again
    output z = (mean, spread) -> Multiply() -> Dense(2)
}
""",
    "shared": """
block Tower(units) {
    input x
    shared step = Dense(units, activation=tanh)
    output y = x -> Dense(units) -> step -> step
}
model Test {
    input left: float[4]
    input right: float[4]
    shared tower = Tower(3)
    output y = (left -> tower, right -> tower) -> Subtract() -> Dense(4) -> tower
}
""",
    "arguments": """
block Wrap(inner, act=relu) {
    input x
    output y = (x -> inner -> Activation(act), x -> inner) -> Add()
}
model Test {
    input x: float[4]
    output y = x -> Wrap(Dense(3)) -> Wrap(Wrap(Dense(3), act=tanh)) -> Wrap(LayerNormalization())
}
""",
    "recursion": """
block Level(filters, depth) {
    input x
    down = x -> Conv2D(filters, 3, padding=same, activation=relu)
    rest = down -> MaxPooling2D(2)
        -> (Level(2 * filters, depth - 1) if depth > 1 else Conv2D(2 * filters, 3, padding=same))
        -> UpSampling2D(2)
    output y = (down, rest) -> Concatenate() -> Conv2D(filters, 3, padding=same)
}
model Test {
    input image: float[8, 8, 1]
    output mask = image -> Level(2, 2) -> Conv2D(1, 1, activation=sigmoid)
}
""",
    "own layers": """
layer Linear(units, act=none) {
    input x
    trainable kernel: [x.shape[-1], units] = glorot_uniform
    trainable bias: [units] = zeros
    output y = tanh(x @ kernel + bias) if act == tanh else x @ kernel + bias
}
block Mlp(units) {
    input x
    output y = (x -> Linear(units, act=tanh) -> Linear(units), x -> Linear(units)) -> Add()
}
model Test {
    input x: float[5, 4]
    shared linear = Linear(3)
    output y = x -> Mlp(3) -> linear -> linear -> repeat 2 { Mlp(3) }
}
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_parity(name: str) -> None:
    assert_parity(PROGRAMS[name], sizes={"T": 5})


def test_batch_normalization_of_blocks_in_training() -> None:
    assert_parity(PROGRAMS["channels last"], training=True, tolerance=1e-4)


def test_state_of_a_block_is_carried_on() -> None:
    pair = compile_pair("""
block Memory(units) {
    input x
    output y = x -> GRU(units, stateful=true, return_sequences=true) -> Dense(units)
}
model Test {
    input wave: float[4, 2] with batch=3
    output y = wave -> repeat 2 { Memory(2) }
}
""")
    for seed in (1, 2, 3):
        arrays = random_inputs(pair.model, batch=3, seed=seed)
        expected, _ = run_keras(pair, arrays)
        found, _ = run_torch(pair, arrays)
        np.testing.assert_allclose(found["y"], expected["y"], atol=2e-5)


@pytest.mark.parametrize("name", PROGRAMS)
def test_inline_is_the_same_function(name: str) -> None:
    """The flat programs give what the structured ones give: the same weights stand under the same paths."""
    pair, flat = compile_pair(PROGRAMS[name]), compile_pair(PROGRAMS[name], inline=True)
    assert list(flat.weights) == list(pair.weights)
    arrays = random_inputs(pair.model, {"T": 5})
    expected, _ = run_torch(pair, arrays)
    for found, _ in (run_torch(flat, arrays), run_keras(flat, arrays)):
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, atol=2e-5)
