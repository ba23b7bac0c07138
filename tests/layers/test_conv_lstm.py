"""ConvLSTM1D, ConvLSTM2D, ConvLSTM3D against real Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
import torch.nn.functional as F

from tests.parity_harness import (
    assert_parity,
    assert_signature,
    check,
    compile_pair,
    model_text,
    random_inputs,
    run_keras,
    run_torch,
)
from tests.training.training_harness import assert_same_training

pytestmark = [pytest.mark.keras, pytest.mark.torch]
FLOAT64 = "float = float64"


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_signature(rank: int) -> None:
    assert_signature(f"ConvLSTM{rank}D")


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("1D(4, 3)", "3, 6, 2"),
        ("1D(4, 2, strides=2, padding=same, return_sequences=true)", "T, 5, 2"),
        ("2D(3, 3)", "3, 5, 6, 2"),
        ("2D(3, (2, 3), padding=same, use_bias=false, return_sequences=true)", "T, 4, 5, 2"),
        ("2D(3, 3, strides=(2, 1), padding=same, activation=relu, recurrent_activation=hard_sigmoid)", "3, 5, 4, 1"),
        ("2D(3, 2, dilation_rate=2, go_backwards=true, return_sequences=true)", "3, 5, 4, 2"),
        ("2D(3, 3, padding=same, activation=softmax, recurrent_activation=softmax)", "2, 4, 4, 1"),
        ("2D(3, 3, unit_forget_bias=false, strides=3)", "2, 7, 4, 1"),
        ("3D(2, 2, return_sequences=true)", "2, 3, 4, 3, 2"),
    ],
)
def test_parity(layer: str, shape: str) -> None:
    flow = f"x -> ConvLSTM{layer}"
    assert_parity(model_text(flow, f"x: float[{shape}]"), sizes={"T": 4}, batch=2)
    text = model_text(flow, f"x: float[{shape}]", options=FLOAT64)
    assert_parity(text, sizes={"T": 4}, batch=2, tolerance=1e-8 if "hard_sigmoid" in layer else 1e-12)


def test_states_in_and_out() -> None:
    text = """
model M {
    options { float = float64 }
    input x: float[T, 4, 5, 2]
    input s: float[4, 5, 3]
    (a, h, c) = x -> ConvLSTM2D(3, 3, padding=same, return_state=true, return_sequences=true)
    b = a -> ConvLSTM2D(3, 3, padding=same, initial_state=(h, s))
    output y = b
    output z = c
    output w = h
}
"""
    assert_parity(text, sizes={"T": 3}, batch=2, tolerance=1e-12)


@pytest.mark.parametrize("arguments", ["", ", return_sequences=true", ", go_backwards=true, return_sequences=true"])
def test_masked_steps_keep_the_state(arguments: str) -> None:
    flow = f"x -> Masking() -> TimeDistributed(Reshape((3, 4, 1))) -> ConvLSTM2D(2, 2{arguments})"
    text = model_text(flow, "x: float[5, 12]")
    arrays = random_inputs(compile_pair(text).model, batch=4)
    arrays["x"][0, 0] = arrays["x"][1, 2] = arrays["x"][1, 4] = arrays["x"][3] = 0
    assert_parity(text, arrays=arrays)


@pytest.mark.parametrize(
    "layer",
    [
        "Bidirectional(ConvLSTM2D(2, 2, return_sequences=true))",
        "Bidirectional(ConvLSTM2D(2, 2), merge_mode=ave)",
        "Bidirectional(ConvLSTM2D(2, 2), backward_layer=ConvLSTM2D(3, 2, go_backwards=true))",
        "TimeDistributed(ConvLSTM1D(2, 2))",
    ],
)
def test_inside_of_wrappers(layer: str) -> None:
    assert_parity(model_text(f"x -> {layer}", "x: float[3, 4, 5, 2]"), batch=2)


def test_a_mask_in_both_directions() -> None:
    images = "x -> Masking() -> TimeDistributed(Reshape((3, 4, 1)))"
    text = model_text(f"{images} -> Bidirectional(ConvLSTM2D(2, 2, return_sequences=true))", "x: float[5, 12]")
    arrays = random_inputs(compile_pair(text).model, batch=4)
    arrays["x"][0, 0] = arrays["x"][1, 2] = arrays["x"][1, 4] = arrays["x"][3] = 0
    assert_parity(text, arrays=arrays)


@pytest.mark.parametrize("arguments", ["", ", return_sequences=true, activation=softmax"])
def test_channels_first(arguments: str) -> None:
    text = model_text(
        f"x -> ConvLSTM2D(2, 3, strides=2, padding=same{arguments})",
        "x: float[3, 2, 4, 5]",
        options="data_format = channels_first",
    )
    assert_parity(text, batch=2)


def test_a_stateful_layer_goes_on() -> None:
    pair = compile_pair(model_text("x -> ConvLSTM2D(2, 2, stateful=true)", "x: float[3, 4, 5, 2] with batch=2"))
    for seed in range(3):
        arrays = random_inputs(pair.model, batch=2, seed=seed)
        expected, found = run_keras(pair, arrays)[0]["y"], run_torch(pair, arrays)[0]["y"]
        assert np.abs(expected - found).max() < 1e-5
    pair.torch.reset_state()  # type: ignore[operator]
    again = run_torch(pair, random_inputs(pair.model, batch=2, seed=0))[0]["y"]
    assert np.abs(again - found).max() > 1e-3


@pytest.mark.parametrize("rates", ["dropout=0.4", "recurrent_dropout=0.4", "dropout=0.3, recurrent_dropout=0.4"])
def test_dropout_given_the_same_masks(rates: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask for each gate, drawn once for all steps, the input's first."""
    text = model_text(f"x -> ConvLSTM2D(3, 2, {rates})", "x: float[4, 4, 5, 2]")
    assert_parity(text)
    counts = {"torch": 0, "keras": 0}

    def mask(framework: str, shape: tuple[int, ...]) -> np.ndarray:
        counts[framework] += 1
        random = np.random.default_rng(counts[framework])
        return (random.random(shape) > 0.4).astype("float32") * 1.5

    def in_torch(x: torch.Tensor, *arguments: Any) -> torch.Tensor:
        shape = (x.shape[0], *x.shape[2:], x.shape[1])
        return x * torch.from_numpy(np.moveaxis(mask("torch", shape), -1, 1).copy())

    def in_keras(x: Any, *arguments: Any, **options: Any) -> Any:
        return x * tf.constant(mask("keras", tuple(x.shape)))

    monkeypatch.setattr(F, "dropout", in_torch)
    monkeypatch.setattr(keras.src.backend.random, "dropout", in_keras)
    assert_parity(text, training=True)
    assert counts == dict.fromkeys(counts, 4 * (1 + (", " in rates)))


def test_training() -> None:
    source = """
model M {
    input x: float[3, 4, 4, 2]
    h = x -> ConvLSTM2D(3, 2, kernel_regularizer=l2(0.01), recurrent_regularizer=l1(0.001), bias_regularizer=l2(0.01),
                        kernel_constraint=MaxNorm(1), activity_regularizer=l2(0.001))
    output y = h -> Flatten() -> Dense(2) with loss=mse
    train { optimizer = SGD(0.05); batch_size = 7; epochs = 2; seed = 1 }
}
"""
    random = np.random.default_rng(2)
    x, y = random.normal(size=(21, 3, 4, 4, 2)), random.normal(size=(21, 2))
    assert_same_training(source, {"x": x.astype("float32"), "y": y.astype("float32")})


def test_the_name_is_that_of_keras() -> None:
    pair = compile_pair(model_text("x -> Bidirectional(ConvLSTM2D(2, 2))", "x: float[3, 4, 5, 2]"))
    assert any(".forward_conv_lstm2d/" in path for path in pair.weights)
    keras.backend.clear_session()
    assert keras.layers.ConvLSTM2D(2, 2).name == "conv_lstm2d"


def test_torch_is_written_as_by_hand() -> None:
    text = compile_pair(model_text("x -> ConvLSTM2D(4, 3, padding=same)", "x: float[T, 6, 7, 2]")).texts["torch"]
    assert "self.y = ConvLSTMCell(2, 4, (3, 3), (6, 7), padding=(1, 1, 1, 1))" in text
    assert "outputs, _ = scan(self.y, x.movedim(-1, 2))" in text
    assert "init_recurrent(self.y, 4)" in text


@pytest.mark.parametrize(
    ("layer", "shape", "code", "part"),
    [
        ("ConvLSTM2D(4)", "3, 5, 6, 2", "NN0204", "kernel_size"),
        ("ConvLSTM2D(4, 3)", "5, 6, 2", "NN0301", "[time, height, width, channels]"),
        ("ConvLSTM2D(4, 7)", "3, 5, 6, 2", "NN0303", "kernel of 7"),
        ("ConvLSTM2D(4, 3)", "3, H, 6, 2", "NN0304", "give the height a number"),
        ("ConvLSTM2D(4, 3)", "3, 5, 6, C", "NN0304", "give the channels a number"),
        ("ConvLSTM2D(4, 3, strides=2, dilation_rate=2)", "3, 5, 6, 2", "NN0215", "both strides and dilation_rate"),
        ("ConvLSTM2D(4, 3, stateful=true)", "3, 5, 6, 2", "NN0311", "fixed size"),
        ("ConvLSTM2D(4, 3, data_format=channels_first, return_state=true)", "3, 2, 5, 6", "NN0218", "`Permute`"),
        ("Bidirectional(ConvLSTM2D(4, 3, data_format=channels_first))", "3, 2, 5, 6", "NN0218", "`Permute`"),
        ("TimeDistributed(ConvLSTM1D(4, 3, data_format=channels_first))", "3, 2, 5, 6", "NN0218", "`Permute`"),
        ("ConvLSTM2D(4, 3, unroll=true)", "3, 5, 6, 2", "NN0203", "unroll"),
    ],
)
def test_mistakes(layer: str, shape: str, code: str, part: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: float[{shape}]"))
    assert program is None
    [problem] = [item for item in problems if item.code == code]
    assert part in f"{problem.message} {problem.help}"


@pytest.mark.parametrize(
    ("state", "part"), [("(s, s)", "state h of `ConvLSTM2D` is float[3, 4, 4]"), ("s", "has 2 states (h [3, 4, 4], ")]
)
def test_states_that_do_not_fit(state: str, part: str) -> None:
    text = model_text(f"x -> ConvLSTM2D(4, 3, initial_state={state})", "x: float[2, 5, 6, 2]", "s: float[3, 4, 5]")
    program, problems = check(text)
    assert program is None
    [problem] = [item for item in problems if item.code == "NN0312"]
    assert part in problem.message


def test_a_mask_of_pixels_is_refused() -> None:
    program, problems = check(model_text("x -> Masking() -> ConvLSTM2D(4, 3)", "x: float[2, 5, 6, 2]"))
    assert program is None
    assert any("says more than which steps count" in item.message for item in problems)
