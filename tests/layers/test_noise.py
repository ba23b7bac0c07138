"""SpatialDropout, AlphaDropout, GaussianNoise, GaussianDropout, ActivityRegularization against real Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text, run_keras, run_torch
from tests.training.training_harness import assert_same_training

pytestmark = [pytest.mark.keras, pytest.mark.torch]

DROPOUTS = [("SpatialDropout1D", "5, 4"), ("SpatialDropout2D", "5, 3, 4"), ("SpatialDropout3D", "2, 5, 3, 4")]


@pytest.mark.parametrize("name", [name for name, _ in DROPOUTS])
def test_arguments_of_the_dropouts(name: str) -> None:
    """They have `name` and `dtype` among their own, where others leave those to the base."""
    from nndsl.layers import catalogue
    from tests.parity_harness import signature

    cls = catalogue.find("layer", name)
    assert cls is not None
    assert list(cls.arguments) == list(signature(name))


@pytest.mark.parametrize("name", ["GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization"])
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize("option", ["channels_last", "channels_first"])
@pytest.mark.parametrize("seed", ["", ", seed=3", ", trainable=false"])
@pytest.mark.parametrize(("name", "shape"), DROPOUTS)
def test_inference_passes_everything(name: str, shape: str, seed: str, option: str) -> None:
    text = model_text(f"x -> {name}(0.5{seed})", f"x: float[{shape}]", options=f"data_format = {option}")
    assert_parity(text)


@pytest.mark.parametrize("seed", ["", ", seed=3"])
@pytest.mark.parametrize("before", ["", "Conv{}(4, 1) -> "])
@pytest.mark.parametrize("option", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("name", "shape"), DROPOUTS)
def test_training_drops_whole_channels(name: str, shape: str, option: str, before: str, seed: str) -> None:
    flow = f"x -> {before.format(name[-2:])}{name}(0.5{seed})"
    pair = compile_pair(model_text(flow, f"x: float[{shape}]", options=f"data_format = {option}"))
    arrays = {"x": np.random.default_rng(0).normal(size=(50, *map(int, shape.split(", ")))).astype("float32")}
    first = option == "channels_first" and name != "SpatialDropout1D"
    for run in (run_keras, run_torch):
        ratio = run(pair, arrays, training=True)[0]["y"] / run(pair, arrays)[0]["y"]
        ratio = np.moveaxis(ratio, 1, -1) if first else ratio
        ratio = ratio.reshape(50, -1, ratio.shape[-1])
        assert np.allclose(ratio, ratio[:, :1], atol=1e-4)
        assert set(np.round(np.unique(ratio), 2)) == {0.0, 2.0}
        assert 0.3 < (ratio[:, 0] == 0).mean() < 0.7


@pytest.mark.parametrize("seed", ["", ", seed=3"])
@pytest.mark.parametrize(("layer", "mean", "deviation"), [("GaussianNoise(0.5", 2, 0.5), ("GaussianDropout(0.2", 2, 1)])
def test_noise(layer: str, mean: float, deviation: float, seed: str) -> None:
    text = model_text(f"x -> {layer}{seed})", "x: float[100]")
    assert_parity(text)
    pair = compile_pair(text)
    arrays = {"x": np.full((300, 100), 2, "float32")}
    for run in (run_keras, run_torch):
        first, second = (run(pair, arrays, training=True)[0]["y"] for _ in range(2))
        assert abs(first.mean() - mean) < 0.02
        assert abs(first.std() - deviation) < 0.02
        assert (first != second).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("option", ["channels_last", "channels_first"])
@pytest.mark.parametrize("arguments", ["0.3", "0.3, seed=3", "0, seed=3", "0.5, noise_shape=(none, {}, 1, {})"])
def test_alpha_dropout_given_the_same_numbers(
    arguments: str, option: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A convolution around it, so that the code works on channels first in one target and last in the other."""
    arguments = arguments.format(*((5, "none") if option == "channels_first" else ("none", 5)))
    text = model_text(
        f"x -> Conv2D(5, 1) -> AlphaDropout({arguments}) -> Conv2D(2, 1)",
        "x: float[5, 3, 4]",
        options=f"data_format = {option}; float = {dtype}",
    )
    assert_parity(text)
    shared = "noise" in arguments
    random = np.random.default_rng(4)
    height, width = (3, 4) if option == "channels_first" else (5, 3)
    shape = (3, 1 if shared and height == 3 else height, 1 if shared and width == 3 else width, 5)
    draws = random.random(shape, dtype="float32")

    def in_torch(shape: list[int], **options: object) -> torch.Tensor:
        moved = np.moveaxis(draws, -1, 1)
        return torch.from_numpy(np.ascontiguousarray(moved if tuple(shape) == moved.shape else draws))

    def in_keras(shape: Any, *arguments: Any, **options: Any) -> Any:
        if tuple(np.asarray(shape)) != draws.shape:  # an initializer's
            return uniform(shape, *arguments, **options)
        drawn.append(draws)
        return tf.cast(draws, dtype)

    drawn: list[np.ndarray] = []
    uniform = keras.src.backend.random.uniform
    monkeypatch.setattr(torch, "rand", in_torch)
    monkeypatch.setattr(keras.src.backend.random, "uniform", in_keras)
    assert_parity(text, training=True, tolerance=1e-6 if dtype == "float32" else 1e-12)
    assert len(drawn) == (not arguments.startswith("0,"))


@pytest.mark.parametrize("seed", ["", ", seed=3"])
def test_alpha_dropout_keeps_mean_and_variance(seed: str) -> None:
    pair = compile_pair(model_text(f"x -> AlphaDropout(0.2{seed})", "x: float[100]"))
    arrays = {"x": np.random.default_rng(0).normal(size=(300, 100)).astype("float32")}
    for run in (run_keras, run_torch):
        first, second = (run(pair, arrays, training=True)[0]["y"] for _ in range(2))
        assert abs(first.mean()) < 0.03
        assert abs(first.std() - 1) < 0.03
        assert (first != second).any()


def test_a_seed_repeats_the_noise() -> None:
    pair = compile_pair(model_text("x -> GaussianNoise(0.5, seed=3)", "x: float[10]"))
    arrays = {"x": np.zeros((3, 10), "float32")}
    first = run_torch(pair, arrays, training=True)[0]["y"]
    pair.torch = type(pair.torch)()
    assert (run_torch(pair, arrays, training=True)[0]["y"] == first).all()


@pytest.mark.parametrize(
    "layer", ["SpatialDropout1D(0.5)", "GaussianNoise(0.1)", "AlphaDropout(0.2)", "ActivityRegularization(l1=1)"]
)
def test_masks_pass(layer: str) -> None:
    flow = f"x -> Embedding(5, 3, mask_zero=true) -> {layer} -> GlobalAveragePooling1D()"
    assert_parity(model_text(flow, "x: int[6]"))


def test_activity_is_penalized() -> None:
    source = """
model M {
    input x: float[5]
    hidden = x -> Dense(6) -> ActivityRegularization(l1=0.01, l2=0.02) -> Activation(tanh) -> ActivityRegularization()
    output y = hidden -> Dense(2) with loss=mse
    train { optimizer = SGD(0.05); batch_size = 7; epochs = 3; seed = 1 }
}
"""
    random = np.random.default_rng(2)
    assert_same_training(
        source, {name: random.normal(size=(21, size)).astype("float32") for name, size in (("x", 5), ("y", 2))}
    )


@pytest.mark.parametrize(
    ("layer", "declared", "code", "words"),
    [
        ("SpatialDropout2D(0.5)", "float[5, 4]", "NN0301", "[height, width, channels]"),
        ("SpatialDropout2D(0.5, data_format=channels_first)", "float[5, 4]", "NN0301", "[channels, height, width]"),
        ("SpatialDropout1D(1)", "float[5, 4]", "NN0206", "`rate`"),
        ("SpatialDropout1D(0.1)", "int[5, 4]", "NN0305", "floats"),
        ("GaussianNoise(2)", "float[4]", "NN0206", "from 0 to 1"),
        ("AlphaDropout(1)", "float[4]", "NN0206", "`rate`"),
        ("AlphaDropout(0.1, noise_shape=(none, 1))", "float[4, 3]", "NN0302", "noise_shape"),
        ("AlphaDropout(0.1, noise_shape=(none, 2))", "float[4]", "NN0302", "has 2 on axis 1"),
        ("AlphaDropout(0.1)", "int[4]", "NN0305", "floats"),
        ("GaussianDropout(1)", "float[4]", "NN0206", "`rate`"),
        ("ActivityRegularization(l1=-1)", "float[4]", "NN0206", "`l1`"),
    ],
)
def test_mistakes(layer: str, declared: str, code: str, words: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: {declared}"))
    assert program is None
    (found,) = list(problems)
    assert found.code == code
    assert words in f"{found.message} {found.help}"
