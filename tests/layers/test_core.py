"""Dense, Activation, Dropout, Identity, Flatten, Embedding: against real Keras, and what is said of mistakes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nndsl.layers.build import make
from nndsl.layers.entry import ConfigError
from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text, run_torch

pytestmark = [pytest.mark.keras, pytest.mark.torch]


@pytest.mark.parametrize("name", ["Dense", "Activation", "Dropout", "Identity", "Flatten", "Embedding"])
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize(
    ("flow", "shape"),
    [
        ("x -> Dense(4)", "3"),
        ("x -> Dense(4, activation=relu, use_bias=false)", "5, 3"),
        ("x -> Dense(4, activation=softmax)", "T, 5, 3"),
        ("x -> Dense(4, activation=leaky_relu(negative_slope=0.1))", "3"),
        ("x -> Dense(4, activation=gelu(approximate=true))", "3"),
        ("x -> Activation(softmax(axis=1))", "4, 3"),
        ("x -> Activation(glu)", "5, 6"),
        ("x -> Activation(glu(axis=1)) -> Dense(2)", "4, 3"),
        ("x -> Identity()", "T, 3"),
        ("x -> Flatten()", "4, 5, 3"),
        ("x -> Flatten()", ""),
        ("x -> Flatten()", "7"),
        ("x -> Flatten()", "T, 3"),
        ("x -> Flatten(data_format=channels_first) -> Dense(2)", "3, 4, 5"),
        ("x -> Conv2D(4, 3) -> Flatten() -> Dense(2)", "5, 6, 2"),
        ("x -> Dropout(0.5) -> Dropout(0.3, noise_shape=(none, 1)) -> Dropout(0.2, seed=4)", "6"),
    ],
)
def test_parity(flow: str, shape: str) -> None:
    assert_parity(model_text(flow, f"x: float[{shape}]"))


@pytest.mark.parametrize(
    "flow",
    [
        "x -> Conv2D(4, 3) -> Flatten() -> Dense(2)",
        "x -> Conv2D(4, 3) -> Activation(softmax)",
        "x -> Conv2D(4, 3) -> Activation(log_softmax(axis=1))",
        "x -> Conv2D(4, 3) -> Activation(glu(axis=2))",
        "x -> Conv2D(4, 3) -> Softmax(axis=[1, 3])",
        "x -> Conv2D(4, 3) -> PReLU(shared_axes=2)",
        "x -> branch { Conv2D(2, 3); Conv2D(2, 3) } -> Concatenate(axis=1)",
        "x -> branch { Conv2D(2, 3); Conv2D(2, 3) } -> Concatenate()",
        "x -> branch { Conv2D(2, 3, padding=same); Identity() } -> Maximum()",
    ],
)
@pytest.mark.parametrize("option", ["channels_first", "channels_last"])
def test_axes_count_as_in_the_file_whatever_the_layout(flow: str, option: str) -> None:
    shape = "2, 6, 8" if option == "channels_first" else "6, 8, 2"
    assert_parity(model_text(flow, f"x: float[{shape}]", options=f"data_format = {option}"))


@pytest.mark.parametrize(
    ("flow", "shape"),
    [
        ("x -> Embedding(5, 3)", "int[]"),
        ("x -> Embedding(5, 3)", "int[7]"),
        ("x -> Embedding(5, 3)", "uint8[2, 4]"),
        ("x -> Embedding(5, 3, mask_zero=true) -> LSTM(4)", "int64[T]"),
        ("x -> Embedding(5, 3, mask_zero=true) -> Dense(4) -> Flatten()", "int[4]"),
        ("x -> Embedding(2, 3, weights=[[1, 2, 3], [4, 5, 6.5]])", "int[4]"),
    ],
)
def test_embedding(flow: str, shape: str) -> None:
    assert_parity(model_text(flow, f"x: {shape}"), high=2 if "weights" in flow else 5)


def test_given_vectors_are_the_initial_weights() -> None:
    pair = compile_pair(model_text("x -> Embedding(2, 3, weights=[[1, 2, 3], [4, 5, 6.5]])", "x: int[4]"))
    torch.manual_seed(0)
    module = type(pair.torch)()
    assert module.state_dict()["y.weight"].tolist() == [[1, 2, 3], [4, 5, 6.5]]


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    pair = compile_pair(model_text("x -> Dropout(0.25)", "x: float[1000]"))
    outputs, _ = run_torch(pair, {"x": np.ones((100, 1000), "float32")}, training=True)
    assert set(np.unique(outputs["y"])) == {0.0, np.float32(4 / 3)}
    assert abs((outputs["y"] == 0).mean() - 0.25) < 0.01


@pytest.mark.parametrize("seed", ["", ", seed=3"])
def test_noise_shape_shares_the_mask_along_axes_of_one(seed: str) -> None:
    pair = compile_pair(model_text(f"x -> Dropout(0.5, noise_shape=(none, 1, 6){seed})", "x: float[5, 6]"))
    y = run_torch(pair, {"x": np.ones((50, 5, 6), "float32")}, training=True)[0]["y"]
    assert (y == y[:, :1]).all()
    assert set(np.unique(y)) == {0.0, 2.0}
    assert 0.3 < (y[:, 0] == 0).mean() < 0.7
    quiet = run_torch(pair, {"x": np.ones((2, 5, 6), "float32")})[0]["y"]
    assert (quiet == 1).all()


def test_a_seed_repeats_the_masks_and_draws_anew_in_each_call() -> None:
    text = model_text("x -> Dropout(0.5, seed=7)", "x: float[40]")
    arrays = {"x": np.ones((3, 40), "float32")}
    pair = compile_pair(text)
    draws = []
    for module in (pair.torch, type(pair.torch)()):
        pair.torch = module
        draws.append([run_torch(pair, arrays, training=True)[0]["y"] for _ in range(2)])
    assert (draws[0][0] == draws[1][0]).all()
    assert (draws[0][1] == draws[1][1]).all()
    assert (draws[0][0] != draws[0][1]).any()


@pytest.mark.parametrize(
    ("flow", "inputs", "code", "words"),
    [
        ("x -> Dense(4)", "x: int[3]", "NN0305", "gets int[3]"),
        ("x -> Dense(4)", "x: float[]", "NN0301", "one number per sample"),
        ("x -> Flatten() -> Dense(4)", "x: float[T, 3]", "NN0304", "3*T"),
        ("x -> Embedding(10, 4)", "x: float[20]", "NN0305", "whole numbers"),
        ("x -> Activation(softmax)", "x: float[]", "NN0308", "batch"),
        ("x -> Activation(softmax(axis=3))", "x: float[2]", "NN0308", "no axis 3"),
        ("x -> Activation(glu)", "x: float[5]", "NN0309", "5 is odd"),
        ("x -> Dense(4, activation=glu)", "x: float[5]", "NN0206", "changes the shape"),
        ("x -> Dense(4, activation=softmax(axis=1))", "x: float[5]", "NN0206", "axis of its own"),
        ("x -> Activation(sparsemax)", "x: float[5]", None, "sparsemax"),
        ("x -> Dropout(1.5)", "x: float[5]", "NN0206", "`rate`"),
        ("x -> Dropout(0.5, noise_shape=(1, 1))", "x: float[5, 2]", "NN0302", "has 2 axes"),
        ("x -> Dropout(0.5, noise_shape=(none, 4))", "x: float[5]", "NN0302", "5 there"),
        ("x -> Dense(4, bias_initializer=Orthogonal())", "x: float[5]", "NN0206", "two axes or more"),
        ("x -> Dense(4, kernel_constraint=MaxNorm(2, axis=2))", "x: float[5]", "NN0206", "axis 2"),
        ("x -> Dense(4, bias_regularizer=OrthogonalRegularizer())", "x: float[5]", "NN0206", "matrices"),
        ("x -> Embedding(3, 2, weights=[[1, 2]])", "x: int[5]", "NN0215", "needs 3 of 2"),
    ],
)
def test_mistakes(flow: str, inputs: str, code: str | None, words: str) -> None:
    program, problems = check(model_text(flow, inputs))
    assert program is None
    (found,) = list(problems)
    assert words in found.message
    assert code is None or found.code == code, found.code


def test_a_rate_of_one_is_refused() -> None:
    assert check(model_text("x -> Dropout(1)", "x: float[5]"))[0] is None


def test_vectors_must_fit_the_sizes() -> None:
    with pytest.raises(ConfigError, match="needs 2 of 2"):
        make("layer", "Embedding", input_dim=2, output_dim=2, weights=((1.0, 2.0),))
