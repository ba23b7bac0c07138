"""ReversibleEmbedding both ways, against real Keras."""

from __future__ import annotations

import pytest

from nndsl.ir.types import TensorType
from nndsl.layers.build import make
from tests.parity_harness import assert_parity, assert_signature, check, compile_pair, model_text

pytestmark = [pytest.mark.keras, pytest.mark.torch]


def test_signature() -> None:
    assert_signature("ReversibleEmbedding")


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ("", "int[7]"),
        (", tie_weights=false", "uint8[2, 4]"),
        (", mask_zero=true", "int64[T]"),
        (", trainable=false", "int[4]"),
        (", reverse=true", "float[3]"),
        (", reverse=true", "float[T, 3]"),
        (", reverse=true, tie_weights=false", "float[4, 3]"),
        (", reverse=true, logit_soft_cap=2", "float[4, 3]"),
        (", reverse=true, tie_weights=false, logit_soft_cap=0.5, reverse_dtype=float32", "float[2, 4, 3]"),
        (", reverse=true, embeddings_constraint=max_norm, embeddings_regularizer=l2", "float[4, 3]"),
    ],
)
def test_both_ways(options: str, shape: str) -> None:
    assert_parity(model_text(f"x -> ReversibleEmbedding(5, 3{options})", f"x: {shape}"))


def test_masks() -> None:
    """They start at the vectors, and end on the way back."""
    start = "x -> ReversibleEmbedding(5, 3, mask_zero=true)"
    assert_parity(model_text(f"{start} -> GlobalAveragePooling1D()", "x: int[6]"), batch=4)
    back = "ReversibleEmbedding(5, 3, mask_zero=true, reverse=true)"
    assert_parity(model_text(f"{start} -> {back} -> GlobalAveragePooling1D()", "x: int[6]"), batch=4)


def test_in_float64() -> None:

    text = model_text("x -> ReversibleEmbedding(5, 3, reverse=true)", "x: float[3]", options="float = float64")
    assert_parity(text, tolerance=1e-10)


@pytest.mark.parametrize("tied", [True, False])
def test_weights_are_those_of_both_ways(tied: bool) -> None:
    """Whichever call of a shared layer comes first."""
    ids, vectors = TensorType((2, 4), "int32"), TensorType((2, 4, 3))
    shapes = [
        [(weight.name, weight.shape) for weight in layer.weights(x)]
        for reverse, x in ((False, ids), (True, vectors))
        for layer in [
            make("layer", "ReversibleEmbedding", input_dim=5, output_dim=3, tie_weights=tied, reverse=reverse)
        ]
    ]
    assert shapes[0] == shapes[1]
    flows = (
        ("x -> ReversibleEmbedding(5, 3{})", "x: int[4]"),
        ("x -> ReversibleEmbedding(5, 3{}, reverse=true)", "x: float[3]"),
    )
    options = "" if tied else ", tie_weights=false"
    made = [
        compile_pair(model_text(flow.format(options), declared))
        .texts["torch"]
        .split("def forward")[0]
        .split("def __init__")[1]
        for flow, declared in flows
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("options", "shape", "code", "words"),
    [
        ("", "float[7]", "NN0305", "reverse=true"),
        (", reverse=true", "int[3]", "NN0305", "floats"),
        (", reverse=true", "float[4]", "NN0302", "vectors of 3 numbers"),
        (", reverse=true", "float[]", "NN0301", "one number"),
        (", reverse=true, reverse_dtype=float64", "float[3]", "NN0218", "float32"),
        (", logit_soft_cap=0", "int[3]", "NN0206", "greater than 0"),
    ],
)
def test_mistakes(options: str, shape: str, code: str, words: str) -> None:
    program, problems = check(model_text(f"x -> ReversibleEmbedding(5, 3{options})", f"x: {shape}"))
    assert program is None
    (found,) = list(problems)
    assert found.code == code
    assert words in f"{found.message} {found.help}"
