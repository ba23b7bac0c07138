"""Losses of whole batches and sequences, and every option of a loss, against Keras's own: values and gradients (steps
of plain descent), with partial batches, masks and class weights, in float32 and float64."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")
from tests.training.training_harness import Arrays, assert_same_training

pytestmark = [pytest.mark.keras, pytest.mark.torch]

HEADS = {
    "linear": "Dense(4)",
    "softmax": "Dense(4, activation=softmax)",
    "sigmoid": "Dense(4, activation=sigmoid)",
    "bare sigmoid": "Dense(4, activation=sigmoid) -> Reshape((4,))",
    "vectors": "Dense(4) -> UnitNormalization()",
    "steps": "RepeatVector(3) -> SimpleRNN(4, return_sequences=true)",
    "softmax steps": "RepeatVector(3) -> SimpleRNN(4, return_sequences=true) -> Activation(softmax)",
    "bare softmax steps": "RepeatVector(3) -> SimpleRNN(4, return_sequences=true) -> Softmax() -> Reshape((3, 4))",
    "sigmoid steps": "RepeatVector(3) -> SimpleRNN(4, return_sequences=true, activation=sigmoid)",
    "many steps": "RepeatVector(9) -> SimpleRNN(4, return_sequences=true)",
}


def text(head: str, loss: str, *, options: str = "", train: str = "") -> str:
    return (
        f"model M {{\n    input x: float[5]\n    options {{ {options} }}\n"
        f"    output y = x -> {HEADS[head]} with loss={loss}\n"
        f"    train {{ optimizer = SGD(learning_rate=0.05); batch_size = 8; epochs = 2; seed = 3; {train} }}\n}}\n"
    )


def data(kind: str, steps: int = 0, samples: int = 21) -> Arrays:
    random = np.random.default_rng(5)
    shape = (samples, steps) if steps else (samples,)
    ids = random.integers(0, 4, shape)
    letters = random.integers(1, 4, (samples, 4)) * (np.arange(4) < random.integers(0, 5, (samples, 1)))
    targets = {
        "numbers": random.normal(size=(*shape, 4)).astype("float32"),
        "ids": ids,
        "one_hot": np.eye(4, dtype="float32")[ids],
        "binary": random.integers(0, 2, (*shape, 4)).astype("float32"),
        "columns": np.eye(3, dtype="float32")[random.integers(0, 3, (samples, 4))].swapaxes(1, 2),
        "letters": letters,
        "labels": random.integers(-3, 3, samples),
        "lone": np.arange(samples) // 2 * (np.arange(samples) % 3),
    }
    return {"x": random.normal(size=(samples, 5)).astype("float32"), "y": targets[kind]}


CASES = [
    ("softmax", "categorical_focal_crossentropy", "one_hot"),
    ("softmax", "CategoricalFocalCrossentropy(alpha=[0.1, 0.5, 1, 2], gamma=1.5, label_smoothing=0.1)", "one_hot"),
    ("linear", "CategoricalFocalCrossentropy(from_logits=true, gamma=3)", "one_hot"),
    ("softmax steps", "CategoricalFocalCrossentropy(axis=1)", "one_hot"),
    ("softmax", "categorical_generalized_cross_entropy", "ids"),
    ("softmax", "CategoricalGeneralizedCrossEntropy(q=0.7)", "ids"),
    ("softmax steps", "CategoricalGeneralizedCrossEntropy(q=0.2, reduction=sum)", "ids"),
    ("sigmoid", "dice", "binary"),
    ("sigmoid", "Dice(axis=-1)", "binary"),
    ("sigmoid steps", "Dice(axis=[1, 2])", "binary"),
    ("sigmoid steps", "Dice(axis=1, reduction=sum)", "binary"),
    ("softmax", "Dice(axis=0)", "one_hot"),
    ("sigmoid", "tversky", "binary"),
    ("sigmoid", "Tversky(alpha=0.7, beta=0.2)", "binary"),
    ("sigmoid steps", "Tversky(0.3, axis=[-2, -1])", "binary"),
    ("vectors", "circle", "labels"),
    ("vectors", "circle", "lone"),
    ("vectors", "Circle(gamma=20, margin=0.25, remove_diagonal=false, reduction=sum)", "labels"),
    ("linear", "Circle(gamma=1, reduction=mean_with_sample_weight)", "labels"),
    ("linear", "mse(reduction=mean)", "numbers"),
    ("linear", "MeanAbsoluteError(reduction=mean_with_sample_weight)", "numbers"),
    ("linear", "Huber(delta=0.3, reduction=sum)", "numbers"),
    ("linear", "log_cosh", "numbers"),
    ("steps", "CosineSimilarity(axis=1)", "numbers"),
    ("linear", "CosineSimilarity(axis=0)", "numbers"),
    ("sigmoid steps", "BinaryCrossentropy(axis=1)", "binary"),
    ("sigmoid steps", "BinaryFocalCrossentropy(axis=1, reduction=sum)", "binary"),
    ("bare sigmoid", "BinaryCrossentropy(axis=0, reduction=sum)", "binary"),
    ("steps", "CategoricalCrossentropy(axis=1, from_logits=true)", "columns"),
    ("softmax", "BinaryFocalCrossentropy(gamma=1.5)", "binary"),
    ("linear", "BinaryFocalCrossentropy(from_logits=true)", "binary"),
    ("bare softmax steps", "CategoricalCrossentropy(axis=1, label_smoothing=0.2)", "one_hot"),
    ("softmax steps", "CategoricalCrossentropy(axis=-1, label_smoothing=0.2)", "one_hot"),
    # Keras takes the activation off here too, whatever the loss says.
    ("softmax", "categorical_crossentropy(from_logits=true)", "one_hot"),
    ("softmax", "sparse_categorical_crossentropy(from_logits=true)", "ids"),
    ("softmax", "binary_crossentropy", "binary"),
    ("sigmoid", "categorical_crossentropy", "one_hot"),
]


@pytest.mark.parametrize(("head", "loss", "kind"), CASES)
def test_a_loss_trains_as_in_keras(head: str, loss: str, kind: str) -> None:
    assert_same_training(text(head, loss), data(kind, steps=3 if "steps" in head else 0))


@pytest.mark.parametrize(("head", "loss", "kind"), CASES)
def test_a_loss_trains_as_in_keras_in_float64(head: str, loss: str, kind: str) -> None:
    source = text(head, loss, options="float = float64")
    assert_same_training(source, data(kind, steps=3 if "steps" in head else 0), tolerance=1e-10)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"])
def test_ctc_trains_as_in_keras(reduction: str) -> None:
    assert_same_training(text("many steps", f"CTC(reduction={reduction})"), data("letters"), tolerance=1e-4)


def test_ctc_in_float64_is_within_the_float32_of_tensorflow() -> None:
    assert_same_training(text("many steps", "ctc", options="float = float64"), data("letters"), tolerance=1e-5)


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_with_sample_weight"])
@pytest.mark.parametrize(
    ("head", "loss", "kind"),
    [
        ("softmax", "SparseCategoricalCrossentropy", "ids"),
        ("softmax steps", "CategoricalCrossentropy", "one_hot"),
        ("softmax", "CategoricalGeneralizedCrossEntropy", "ids"),
    ],
)
def test_class_weights_and_reductions(head: str, loss: str, kind: str, reduction: str) -> None:
    source = text(
        head, f"{loss}(reduction={reduction})", train="class_weight = [1, 5, 0, 0.1]", options="float = float64"
    )
    assert_same_training(source, data(kind, steps=3 if "steps" in head else 0), tolerance=1e-10)


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_with_sample_weight"])
@pytest.mark.parametrize(
    ("loss", "train"),
    [
        ("SparseCategoricalCrossentropy(ignore_class=2, reduction={})", ""),
        ("SparseCategoricalCrossentropy(reduction={})", "class_weight = [1, 5, 0.5, 2, 0]"),
        ("SparseCategoricalCrossentropy(ignore_class=1, reduction={})", "class_weight = [1, 5, 0.5, 2, 0]"),
    ],
)
def test_masks_and_reductions(loss: str, train: str, reduction: str) -> None:
    source = f"""
model M {{
    input words: int[6]
    options {{ float = float64 }}
    output next = words -> Embedding(9, 4, mask_zero=true) -> Dense(5, activation=softmax)
        with loss={loss.format(reduction)}
    train {{ optimizer = SGD(learning_rate=0.1); batch_size = 4; epochs = 2; shuffle = false; {train} }}
}}
"""
    random = np.random.default_rng(1)
    words = random.integers(0, 9, (10, 6)) * (np.arange(6) < random.integers(1, 7, (10, 1)))
    assert_same_training(source, {"words": words, "next": random.integers(0, 5, (10, 6))}, tolerance=1e-10)


def test_a_mask_and_the_overlap_of_each_step() -> None:
    source = """
model M {
    input words: int[6]
    options { float = float64 }
    output next = words -> Embedding(9, 4, mask_zero=true) -> Dense(5, activation=sigmoid) with loss=Dice(axis=-1)
    train { optimizer = SGD(learning_rate=0.1); batch_size = 4; epochs = 2; shuffle = false }
}
"""
    random = np.random.default_rng(1)
    words = random.integers(0, 9, (10, 6)) * (np.arange(6) < random.integers(1, 7, (10, 1)))
    target = random.integers(0, 2, (10, 6, 5)).astype("float32")
    assert_same_training(source, {"words": words, "next": target}, tolerance=1e-10)
