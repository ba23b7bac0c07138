"""CategoryEncoding, Discretization and IntegerLookup against real Keras."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text, run_keras, run_torch

pytestmark = [pytest.mark.keras, pytest.mark.torch]


@pytest.mark.parametrize("name", ["CategoryEncoding", "Discretization", "IntegerLookup"])
def test_signature(name: str) -> None:
    assert_signature(name)


@pytest.mark.parametrize("mode", ["multi_hot", "one_hot", "count"])
@pytest.mark.parametrize("declared", ["int[4]", "int[1]", "uint8[T]", "int64[T]"])
def test_category_encoding(mode: str, declared: str) -> None:
    """Ids of 5 and 6 are out of range."""
    assert_parity(model_text(f"x -> CategoryEncoding(5, output_mode={mode})", f"x: {declared}"), high=7)


@pytest.mark.parametrize("declared", ["int[]", "int[4, 5]", "int8[T, 1]", "int[T, 2, 3]"])
def test_one_hot_takes_any_shape(declared: str) -> None:
    assert_parity(model_text("x -> CategoryEncoding(5, output_mode=one_hot)", f"x: {declared}"), high=7)


def test_counts_with_weights() -> None:
    text = """
model M {
    input ids: int[4]
    input w: int[4]
    weights  = w -> Rescaling(0.3)
    output y = ids -> CategoryEncoding(5, output_mode=count, count_weights=weights) -> Dense(3)
}
"""
    pair = assert_parity(text)
    assert "one_hot(ids, 5) * weights.unsqueeze(-1)" in pair.texts["torch"]


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("declared", ["float[4]", "uint8[1]", "bool[T]", "int[4]"])
def test_discretization(mode: str, declared: str) -> None:
    assert_parity(model_text(f"x -> Discretization([-0.5, 0.1, 1, 1, 2.5], output_mode={mode})", f"x: {declared}"))


@pytest.mark.parametrize(
    ("layer", "declared"),
    [
        ("Discretization([1])", "float[T, 3, 2]"),
        ("Discretization([0.3], output_mode=one_hot)", "float[T, 3, 2]"),
        ("Discretization([0.3], output_mode=one_hot, trainable=false)", "float[T, 1]"),
        ("Discretization([0, 1]) -> Embedding(3, 2)", "float[]"),
        ("TimeDistributed(Discretization([0, 1], output_mode=multi_hot))", "float[T, 5]"),
        ("Conv2D(2, 2) -> Discretization([-0.3, 0, 0.3], output_mode=one_hot)", "float[5, 5, 3]"),
    ],
)
def test_discretization_of_other_shapes(layer: str, declared: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: {declared}"))


def test_values_on_a_boundary_and_beyond() -> None:
    pair = compile_pair(model_text("x -> Discretization([0, 1, 1, 2])", "x: float[5]"))
    arrays = {"x": np.array([[-np.inf, np.nan, 1, np.inf, 0], [2, 1.9999999, -0.0, 1e-30, 0.99999994]], "float32")}
    np.testing.assert_array_equal(run_torch(pair, arrays)[0]["y"], run_keras(pair, arrays)[0]["y"])


OPTIONS = [
    "",
    "mask_token=0, ",
    "mask_token=0, num_oov_indices=2, ",
    "num_oov_indices=3, ",
    "max_tokens=9, pad_to_max_tokens=true, ",
]


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count", "tf_idf, idf_weights=[0.5, 1, 2.2]"])
@pytest.mark.parametrize("options", OPTIONS)
def test_integer_lookup(options: str, mode: str) -> None:
    layer = f"IntegerLookup({options}vocabulary=[3, 1, 7], output_mode={mode})"
    assert_parity(model_text(f"x -> {layer}", "x: int[5]"), high=9)


@pytest.mark.parametrize("options", OPTIONS[:4])
def test_integer_lookup_inverted(options: str) -> None:
    assert_parity(
        model_text(f"x -> IntegerLookup({options}vocabulary=[3, 1, 7], invert=true)", "x: uint8[4, T]"), high=9
    )


@pytest.mark.parametrize(
    ("layer", "declared"),
    [
        ("IntegerLookup(vocabulary=[3, 1, 0, 2, 4], num_oov_indices=0) -> Embedding(5, 3)", "int[4, T]"),
        ("IntegerLookup(vocabulary=[-1, 3, 1, 7])", "int64[T]"),  # begins with what is unknown
        ("IntegerLookup(vocabulary=[0, -1, 3, 1], mask_token=0)", "int[]"),
        ("IntegerLookup(vocabulary=[-1, 3, 1], output_mode=tf_idf, idf_weights=[2, 3, 4.1])", "uint8[T]"),
        ("IntegerLookup(vocabulary=[3, 1], output_mode=one_hot)", "int[4, T, 1]"),
        ("IntegerLookup(vocabulary=[3, 1], output_mode=multi_hot) -> Dense(2)", "int[4]"),
        ("IntegerLookup(vocabulary=[-2, 3, -7], num_oov_indices=3, oov_token=4)", "int[4]"),
    ],
)
def test_integer_lookup_of_other_shapes(layer: str, declared: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: {declared}"))


def test_negative_integers() -> None:
    pair = compile_pair(model_text("x -> IntegerLookup(vocabulary=[-2, 3, -7], num_oov_indices=3)", "x: int[6]"))
    arrays = {"x": np.array([[-8, -7, -2, -1, -(2**31), 2**31 - 1]], "int32")}
    np.testing.assert_array_equal(run_torch(pair, arrays)[0]["y"], run_keras(pair, arrays)[0]["y"])


def test_an_integer_without_a_place_is_an_error_in_both() -> None:
    flow = "x -> IntegerLookup(vocabulary=[3, 1], num_oov_indices=0, mask_token=0)"
    pair = compile_pair(model_text(flow, "x: int[2]"))
    assert pair.torch(torch.tensor([[3, 0]]))["y"].tolist() == [[1, 0]]
    with pytest.raises(ValueError, match="not in the vocabulary"):
        pair.torch(torch.tensor([[3, 4]]))
    with pytest.raises(Exception, match="should be in vocabulary"):
        pair.keras(np.array([[3, 4]]))


@pytest.mark.parametrize(
    ("layer", "declared"),
    [
        ("CategoryEncoding(5, output_mode=count) -> Dense(3)", "int[T]"),
        ("Discretization([0.1, 0.7], output_mode=count)", "float[8]"),
        ("IntegerLookup(vocabulary=[3, 1], output_mode=tf_idf, idf_weights=[0.1, 0.3]) -> Dense(2)", "int[T]"),
        ("IntegerLookup(vocabulary=[3, 1], output_mode=one_hot)", "int[T]"),
    ],
)
def test_float64(layer: str, declared: str) -> None:
    assert_parity(model_text(f"x -> {layer}", f"x: {declared}", options="float = float64"), tolerance=1e-12)


def test_torch_is_written_as_by_hand() -> None:
    text = compile_pair(model_text("x -> Discretization([0, 1]) -> Embedding(3, 2)", "x: float[T]")).texts["torch"]
    assert "x, self.y_discretization_boundaries, right=True, out_int32=True" in text
    text = compile_pair(model_text("x -> CategoryEncoding(5) -> Dense(2)", "x: int[T]")).texts["torch"]
    assert "x = one_hot(x, 5).any(1).float()" in text
    text = compile_pair(model_text("x -> IntegerLookup(vocabulary=[12, 36]) -> Embedding(3, 2)", "x: int[T]")).texts[
        "torch"
    ]
    assert "IntegerLookup([12, 36])" in text


@pytest.mark.parametrize(
    ("layer", "declared", "code", "words"),
    [
        ("CategoryEncoding()", "int[3]", "NN0204", "num_tokens"),
        ("CategoryEncoding(0)", "int[3]", "NN0206", "positive"),
        ("CategoryEncoding(3, sparse=true)", "int[3]", "NN0218", "leave `sparse` out"),
        ("CategoryEncoding(3)", "float[3]", "NN0305", "Discretization"),
        ("CategoryEncoding(3)", "int[]", "NN0301", "int[1]"),
        ("CategoryEncoding(3, output_mode=count)", "int[2, 3]", "NN0301", "one_hot"),
        ("CategoryEncoding(3, output_mode=binary)", "int[3]", "NN0206", "multi_hot"),
        ("Discretization()", "float[3]", "NN0204", "boundaries"),
        ("Discretization(num_bins=4)", "float[3]", "NN0218", "Discretization([-1, 0, 1])"),
        ("Discretization([1, 0])", "float[3]", "NN0206", "in order"),
        ("Discretization([])", "float[3]", "NN0206", "one or more"),
        ("Discretization([0], output_mode=count)", "float[2, 3]", "NN0301", "Flatten"),
        ("IntegerLookup()", "int[3]", "NN0204", "vocabulary"),
        ("IntegerLookup(vocabulary=words)", "int[3]", "NN0205", "list"),
        ("IntegerLookup(vocabulary=[1, 2, 1])", "int[3]", "NN0206", "1 more than once"),
        ("IntegerLookup(vocabulary=[1, 2], mask_token=2)", "int[3]", "NN0215", "[2, -1, …]"),
        ("IntegerLookup(vocabulary=[1, -1], invert=true)", "int[3]", "NN0215", "oov_token"),
        ("IntegerLookup(vocabulary=[1, 2], max_tokens=2)", "int[3]", "NN0215", "3 places"),
        ("IntegerLookup(vocabulary=[1, 2], pad_to_max_tokens=true)", "int[3]", "NN0215", "needs `max_tokens`"),
        ("IntegerLookup(vocabulary=[1, 2], output_mode=tf_idf)", "int[3]", "NN0215", "idf_weights=[0.25, 0.75]"),
        ("IntegerLookup(vocabulary=[1, 2], idf_weights=[1, 2])", "int[3]", "NN0215", "output_mode=tf_idf"),
        ("IntegerLookup(vocabulary=[1], output_mode=tf_idf, idf_weights=[1, 2])", "int[3]", "NN0215", "2 numbers"),
        ("IntegerLookup(vocabulary=[1], invert=true, output_mode=count)", "int[3]", "NN0215", "gives integers"),
        ("IntegerLookup(vocabulary=[1], num_oov_indices=2, oov_method=farmhash)", "int[3]", "NN0218", "remainder"),
        ("IntegerLookup(vocabulary=[1], salt=3)", "int[3]", "NN0218", "farmhash"),
        ("IntegerLookup(vocabulary=[1])", "float[3]", "NN0305", "whole numbers"),
    ],
)
def test_mistakes(layer: str, declared: str, code: str, words: str) -> None:
    program, problems = check(model_text(f"x -> {layer}", f"x: {declared}"))
    assert program is None
    (found,) = list(problems)
    assert found.code == code
    assert words in f"{found.message} {found.help}"


@pytest.mark.parametrize(
    ("mode", "declared", "words"),
    [
        ("multi_hot", "float[3]", "output_mode=count"),
        ("count", "float[4]", "a weight of its own"),
        ("count", "int[3]", "float[3]"),
        ("count", "float[3, 1]", "float[3]"),
    ],
)
def test_mistakes_in_weights(mode: str, declared: str, words: str) -> None:
    flow = f"x -> CategoryEncoding(5, output_mode={mode}, count_weights=w)"
    program, problems = check(model_text(flow, "x: int[3]", f"w: {declared}"))
    assert program is None
    (found,) = list(problems)
    assert words in f"{found.message} {found.help}"
