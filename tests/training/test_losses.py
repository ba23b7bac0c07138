"""Every loss against Keras's own: values and gradients (one step of plain descent), with partial batches."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")
from tests.training.training_harness import Arrays, assert_same_training

pytestmark = [pytest.mark.keras, pytest.mark.torch]

HEAD = {
    "linear": "Dense(4)",
    "softmax": "Dense(4, activation=softmax)",
    "sigmoid": "Dense(4, activation=sigmoid)",
    "relu": "Dense(4, activation=softplus)",
    "tanh": "Dense(4, activation=tanh)",
    "softmax_layer": "Dense(4) -> Softmax()",
    "unpeeled": "Dense(4, activation=softmax) -> Reshape((4,))",
    "unpeeled_sigmoid": "Dense(4, activation=sigmoid) -> Reshape((4,))",
    "sequence": "RepeatVector(3) -> Dense(4, activation=softmax)",
    "sequence_linear": "RepeatVector(3) -> Dense(4)",
}


def text(head: str, loss: str, more: str = "", train: str = "") -> str:
    return (
        "model M {\n    input x: float[5]\n"
        f"    output y = x -> {HEAD[head]} with loss={loss}{more}\n"
        f"    train {{ optimizer = SGD(learning_rate=0.05); batch_size = 8; epochs = 2; seed = 3; {train} }}\n}}\n"
    )


def data(kind: str, steps: int = 0, samples: int = 21) -> Arrays:
    random = np.random.default_rng(5)
    shape = (samples, steps) if steps else (samples,)
    ids = random.integers(0, 4, shape)
    targets = {
        "numbers": random.normal(size=(*shape, 4)).astype("float32"),
        "positive": np.abs(random.normal(size=(*shape, 4))).astype("float32") + 0.1,
        "ids": ids,
        "one_hot": np.eye(4, dtype="float32")[ids],
        "binary": random.integers(0, 2, (*shape, 4)).astype("float32"),
        "signs": 2 * random.integers(0, 2, (*shape, 4)).astype("float32") - 1,
    }
    return {"x": random.normal(size=(samples, 5)).astype("float32"), "y": targets[kind]}


CASES = [
    ("linear", "mse", "numbers"),
    ("linear", 'MeanSquaredError(reduction="sum")', "numbers"),
    ("linear", "mae", "numbers"),
    ("linear", "mape", "positive"),
    ("relu", "msle", "positive"),
    ("linear", "huber", "numbers"),
    ("linear", "Huber(delta=0.5)", "numbers"),
    ("linear", "log_cosh", "numbers"),
    ("softmax", "kl_divergence", "one_hot"),
    ("relu", "poisson", "positive"),
    ("linear", "cosine_similarity", "numbers"),
    ("linear", "hinge", "signs"),
    ("linear", "hinge", "binary"),
    ("tanh", "squared_hinge", "signs"),
    ("linear", "categorical_hinge", "one_hot"),
    ("softmax", "categorical_crossentropy", "one_hot"),
    ("unpeeled", "categorical_crossentropy", "one_hot"),
    ("linear", "categorical_crossentropy(from_logits=true)", "one_hot"),
    ("softmax", "CategoricalCrossentropy(label_smoothing=0.1)", "one_hot"),
    ("unpeeled", "CategoricalCrossentropy(label_smoothing=0.1)", "one_hot"),
    ("softmax", "sparse_categorical_crossentropy", "ids"),
    ("softmax_layer", "categorical_crossentropy", "one_hot"),
    ("softmax_layer", "sparse_categorical_crossentropy", "ids"),
    ("unpeeled", "sparse_categorical_crossentropy", "ids"),
    ("linear", "sparse_categorical_crossentropy(from_logits=true)", "ids"),
    ("softmax", "SparseCategoricalCrossentropy(ignore_class=2)", "ids"),
    ("sigmoid", "binary_crossentropy", "binary"),
    ("unpeeled_sigmoid", "binary_crossentropy", "binary"),
    ("linear", "binary_crossentropy(from_logits=true)", "binary"),
    ("sigmoid", "BinaryCrossentropy(label_smoothing=0.2)", "binary"),
    ("sigmoid", "BinaryFocalCrossentropy(gamma=1.5)", "binary"),
    ("sigmoid", "BinaryFocalCrossentropy(apply_class_balancing=true, alpha=0.3)", "binary"),
]


@pytest.mark.parametrize(("head", "loss", "kind"), CASES)
def test_a_loss_trains_as_in_keras(head: str, loss: str, kind: str) -> None:
    tolerance = 2e-4 if loss == "mape" else 1e-5  # its gradients are hundreds of times the others'
    assert_same_training(text(head, loss), data(kind), tolerance=tolerance)


@pytest.mark.parametrize(
    ("head", "loss", "kind"),
    [
        ("sequence", "sparse_categorical_crossentropy", "ids"),
        ("sequence", "categorical_crossentropy", "one_hot"),
        ("sequence_linear", "SparseCategoricalCrossentropy(from_logits=true, ignore_class=1)", "ids"),
        ("sequence_linear", "mse", "numbers"),
    ],
)
def test_a_loss_over_a_sequence(head: str, loss: str, kind: str) -> None:
    assert_same_training(text(head, loss, ", metrics=[accuracy]"), data(kind, steps=3))


@pytest.mark.parametrize(
    ("head", "loss", "kind", "weights"),
    [
        ("softmax", "sparse_categorical_crossentropy", "ids", "[1, 5, 0.5, 2]"),
        ("softmax", "categorical_crossentropy", "one_hot", "[1, 5, 0.5, 2]"),
    ],
)
def test_class_weights_count_in_training_alone(head: str, loss: str, kind: str, weights: str) -> None:
    assert_same_training(text(head, loss, train=f"class_weight = {weights}"), data(kind))


def test_class_weights_of_one_number() -> None:
    source = text("sigmoid", "bce", train="class_weight = [1, 9]").replace("Dense(4,", "Dense(1,")
    arrays = data("binary")
    assert_same_training(source, {"x": arrays["x"], "y": arrays["y"][:, 0]})


def test_masked_samples_do_not_count() -> None:
    source = """
model M {
    input words: int[6]
    output next = words -> Embedding(9, 4, mask_zero=true) -> Dense(5, activation=softmax)
        with loss=sparse_categorical_crossentropy, metrics=[accuracy]
    train { optimizer = SGD(learning_rate=0.1); batch_size = 4; epochs = 2; shuffle = false }
}
"""
    random = np.random.default_rng(1)
    words = random.integers(0, 9, (10, 6)) * (np.arange(6) < random.integers(1, 7, (10, 1)))
    assert_same_training(source, {"words": words, "next": random.integers(0, 5, (10, 6))})


def test_weights_penalties_and_constraints() -> None:
    source = """
model M {
    input x: float[5]
    hidden = x -> Dense(6, activation=tanh, kernel_regularizer=l2(0.01), bias_regularizer=l1(0.02),
                        activity_regularizer=l2(0.03), kernel_constraint=max_norm(1.2))
    output a = hidden -> Dense(1, name=head) with loss=mse, weight=0.25, metrics=[mae]
    output b = hidden -> Dense(3, activation=softmax, kernel_constraint=unit_norm, trainable=true)
        with loss=sparse_categorical_crossentropy, weight=2, metrics=[accuracy]
    output c = hidden -> Dense(2)
    train { optimizer = SGD(learning_rate=0.05); batch_size = 7; epochs = 3; seed = 1 }
}
"""
    random = np.random.default_rng(2)
    arrays = {
        "x": random.normal(size=(21, 5)).astype("float32"),
        "a": random.normal(size=21).astype("float32"),
        "b": random.integers(0, 3, 21),
    }
    assert_same_training(source, arrays)
