"""Did you mean."""

from __future__ import annotations

import time

import pytest

from nndsl.diagnostics.suggest import did_you_mean, suggest

LAYERS = [
    "Activation",
    "Add",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Dense",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRU",
    "GlobalMaxPooling1D",
    "Identity",
    "LSTM",
    "LayerNormalization",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Permute",
    "ReLU",
    "Reshape",
    "SimpleRNN",
    "Softmax",
    "Subtract",
    "TimeDistributed",
    "ZeroPadding2D",
]
ARGUMENTS = ["units", "activation", "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer"]


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("dense", ["Dense"]),
        ("Desne", ["Dense"]),
        ("Densee", ["Dense"]),
        ("maxpooling2d", ["MaxPooling2D"]),
        ("max_pooling_2d", ["MaxPooling2D"]),
        ("batch_normalisation", ["BatchNormalization"]),
        ("MaxPool2D", ["MaxPooling2D", "MaxPooling1D", "MaxPooling3D"]),
        ("Conv", ["Conv1D", "Conv2D", "Conv3D"]),
        ("relu", ["ReLU"]),
        ("Time", ["TimeDistributed"]),
        ("Quaternion", []),
        ("", []),
        ("_", []),
    ],
)
def test_layers(word: str, wanted: list[str]) -> None:
    assert suggest(word, LAYERS) == wanted
    assert suggest(word, reversed(LAYERS)) == wanted


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("unit", ["units"]),
        ("useBias", ["use_bias"]),
        ("activaton", ["activation"]),
        ("kernel_initialiser", ["kernel_initializer"]),
        ("filters", []),
    ],
)
def test_arguments(word: str, wanted: list[str]) -> None:
    assert suggest(word, ARGUMENTS) == wanted


def test_short_names() -> None:
    assert suggest("z", ["x", "y"]) == []
    assert suggest("x2", ["x1", "y2", "x"]) == ["x", "x1"]
    assert suggest("x", ["x"]) == []  # the word itself is no remedy


def test_limit_and_ties() -> None:
    names = ["value_d", "value_a", "value_c", "value_b"]
    assert suggest("value_x", names) == ["value_a", "value_b", "value_c"]
    assert suggest("value_x", names, limit=1) == ["value_a"]


def test_sentence() -> None:
    assert did_you_mean("unit", ARGUMENTS) == "did you mean `units`?"
    assert did_you_mean("Conv", LAYERS) == "did you mean `Conv1D`, `Conv2D` or `Conv3D`?"
    assert did_you_mean("x2", ["x1", "x3"]) == "did you mean `x1` or `x3`?"
    assert did_you_mean("Quaternion", LAYERS) is None


def test_long_words_cost_little() -> None:
    candidates = [f"{'ab' * 20}{i}" for i in range(300)]
    start = time.process_time()
    assert suggest("a" * 1_000_000, candidates) == []
    suggest("ba" * 24, candidates)
    assert time.process_time() - start < 2
