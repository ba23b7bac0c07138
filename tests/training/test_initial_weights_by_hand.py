"""Initial weights of every kind of layer over many seeds, beside the layers of Keras: deviation, mean, bounds, shape of
the distribution, and how rows and columns of a weight depend on each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import Input, Model, layers

from nndsl.interop import keras_side
from nndsl.passes.weight_layout import layout, plain
from tests import parity_harness as harness

pytestmark = [pytest.mark.keras, pytest.mark.torch, pytest.mark.slow]

SEEDS = 60
LAYERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "Dense(20)": ("float[30]", lambda x: layers.Dense(20, name="h")(x)),
    "Dense(20, kernel_initializer=he_normal)": (
        "float[5, 30]", lambda x: layers.Dense(20, kernel_initializer="he_normal", name="h")(x),
    ),
    "Conv1D(12, 3, groups=2)": ("float[9, 8]", lambda x: layers.Conv1D(12, 3, groups=2, name="h")(x)),
    "Conv2D(12, [3, 2])": ("float[9, 9, 8]", lambda x: layers.Conv2D(12, (3, 2), name="h")(x)),
    "Conv3D(6, 2, kernel_initializer=lecun_uniform)": (
        "float[4, 4, 4, 3]", lambda x: layers.Conv3D(6, 2, kernel_initializer="lecun_uniform", name="h")(x),
    ),
    "DepthwiseConv1D(3, depth_multiplier=2)": (
        "float[9, 8]", lambda x: layers.DepthwiseConv1D(3, depth_multiplier=2, name="h")(x),
    ),
    "DepthwiseConv2D(3, depthwise_initializer=he_normal)": (
        "float[9, 9, 8]", lambda x: layers.DepthwiseConv2D(3, depthwise_initializer="he_normal", name="h")(x),
    ),
    "SeparableConv2D(10, 3, depth_multiplier=2, pointwise_initializer=he_uniform)": (
        "float[9, 9, 8]",
        lambda x: layers.SeparableConv2D(10, 3, depth_multiplier=2, pointwise_initializer="he_uniform", name="h")(x),
    ),
    "Conv1DTranspose(10, 3)": ("float[9, 4]", lambda x: layers.Conv1DTranspose(10, 3, name="h")(x)),
    "Conv2DTranspose(10, 3, kernel_initializer=he_normal)": (
        "float[9, 9, 4]", lambda x: layers.Conv2DTranspose(10, 3, kernel_initializer="he_normal", name="h")(x),
    ),
    "LSTM(12)": ("float[5, 8]", lambda x: layers.LSTM(12, name="h")(x)),
    "LSTM(12, recurrent_initializer=glorot_uniform, activation=relu)": (
        "float[5, 8]",
        lambda x: layers.LSTM(12, recurrent_initializer="glorot_uniform", activation="relu", name="h")(x),
    ),
    "GRU(12, bias_initializer=glorot_uniform)": (
        "float[5, 8]", lambda x: layers.GRU(12, bias_initializer="glorot_uniform", name="h")(x),
    ),
    "SimpleRNN(12)": ("float[5, 8]", lambda x: layers.SimpleRNN(12, name="h")(x)),
    "Bidirectional(LSTM(12))": ("float[5, 8]", lambda x: layers.Bidirectional(layers.LSTM(12), name="h")(x)),
    "RNN([LSTMCell(8), GRUCell(12)])": (
        "float[5, 8]", lambda x: layers.RNN([layers.LSTMCell(8), layers.GRUCell(12)], name="h")(x),
    ),
    "TimeDistributed(Conv2D(12, 3))": (
        "float[2, 5, 5, 8]", lambda x: layers.TimeDistributed(layers.Conv2D(12, 3), name="h")(x),
    ),
    "Embedding(30, 12)": ("int[5]", lambda x: layers.Embedding(30, 12, name="h")(x)),
    "MultiHeadAttention(3, 8)": ("float[5, 16]", lambda x: layers.MultiHeadAttention(3, 8, name="h")(x, x)),
    "GroupQueryAttention(8, 4, 2)": ("float[5, 16]", lambda x: layers.GroupQueryAttention(8, 4, 2, name="h")(x, x)),
    "PReLU(alpha_initializer=glorot_uniform)": (
        "float[5, 16]", lambda x: layers.PReLU(alpha_initializer="glorot_uniform", name="h")(x),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(LAYERS))
def test_as_by_hand(name: str) -> None:
    declared, by_hand = LAYERS[name]
    text = f"model M {{\n    input x: {declared}\n    h = x -> {name}\n    output y = h -> Flatten() -> Dense(3)\n}}\n"
    pair = harness.compile_pair(text)
    shape = tuple(int(size) for size in declared.partition("[")[2][:-1].split(","))
    ours: dict[str, list[np.ndarray]] = {entry.key: [] for entry in pair.state}
    theirs: dict[str, list[np.ndarray]] = {entry.key: [] for entry in pair.state}
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        state = type(pair.torch)().state_dict()
        keras.utils.set_random_seed(seed)
        x = Input(shape, name="x", dtype="int32" if declared.startswith("int") else None)
        model = Model(x, {"y": layers.Dense(3, name="y")(layers.Flatten()(by_hand(x)))})
        variables = keras_side.find_variables(model, plain(layout(pair.model)))
        for entry in pair.state:
            ours[entry.key].append(state[entry.key].numpy())
            theirs[entry.key].append(harness.apply_steps(np.asarray(variables[entry.path]), entry.steps))
    for key, found in ours.items():
        _alike(key, np.stack(found), np.stack(theirs[key]))


def _alike(key: str, found: np.ndarray, expected: np.ndarray) -> None:
    if not expected.std(axis=0).any():  # constants
        np.testing.assert_array_equal(found, expected, key)
        return
    scale, chance = float(expected.std()), 6 / found.size**0.5
    assert abs(found.std() / scale - 1) < max(0.02, chance), key
    assert abs(found.mean() - expected.mean()) / scale < max(0.03, 1.5 * chance), key
    for level in (0.02, 0.1, 0.3, 0.7, 0.9, 0.98):
        difference = abs(np.quantile(found, level) - np.quantile(expected, level))
        assert difference / scale < max(0.05, 2.5 * chance), (key, level)
    assert abs(np.abs(found).max() / np.abs(expected).max() - 1) < 0.15, key
    for one, other in zip(_products(found), _products(expected), strict=True):
        assert abs(one - other) / (other + 0.02) < 0.25, key


def _products(values: np.ndarray) -> tuple[float, float]:
    """How far rows and columns are from being orthogonal: the mean product of two of them, against a square."""
    matrices = values.reshape(len(values), values.shape[1], -1) if values.ndim > 2 else values[:, None]

    def off(matrix: np.ndarray) -> float:
        square = matrix @ matrix.T
        diagonal = np.diag(square)
        return float(np.abs(square - np.diag(diagonal)).mean() / (diagonal.mean() + 1e-12))

    return float(np.mean([off(m) for m in matrices])), float(np.mean([off(m.T) for m in matrices]))
