"""Every metric against Keras's own, over batches of unequal size, on predictions with ties and thresholds."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")
from tests.training.training_harness import Programs, assert_same_reports

pytestmark = [pytest.mark.keras, pytest.mark.torch]


def text(head: str, loss: str, metrics: str, shape: str = "x: float[5]") -> str:
    return (
        f"model M {{\n    input {shape}\n    output y = x -> {head} with loss={loss}, metrics=[{metrics}]\n"
        "    train { optimizer = sgd; batch_size = 16 }\n}\n"
    )


random = np.random.default_rng(4)
X = random.normal(size=(50, 5)).astype("float32")
IDS = random.integers(0, 6, 50)
ONE_HOT = np.eye(6, dtype="float32")[IDS]
BINARY = random.integers(0, 2, (50, 1)).astype("float32")
MANY = random.integers(0, 2, (50, 6)).astype("float32")
NUMBERS = np.abs(random.normal(size=(50, 6))).astype("float32") + 0.1


@pytest.mark.parametrize(
    ("head", "loss", "metrics", "target"),
    [
        ("Dense(6, activation=softmax)", "sparse_categorical_crossentropy", "accuracy", IDS),
        ("Dense(6, activation=softmax)", "sparse_categorical_crossentropy", "acc", IDS[:, None]),
        ("Dense(6, activation=softmax)", "sparse_categorical_crossentropy", "sparse_categorical_accuracy", IDS),
        ("Dense(6, activation=softmax)", "sparse_categorical_crossentropy", "SparseTopKCategoricalAccuracy(k=3)", IDS),
        ("Dense(6, activation=softmax)", "categorical_crossentropy", "accuracy", ONE_HOT),
        (
            "Dense(6, activation=softmax)",
            "categorical_crossentropy",
            "categorical_accuracy, top_k_categorical_accuracy",
            ONE_HOT,
        ),
        (
            "Dense(6, activation=softmax)",
            "categorical_crossentropy",
            "TopKCategoricalAccuracy(k=2, name=best)",
            ONE_HOT,
        ),
        ("Dense(1, activation=sigmoid)", "binary_crossentropy", "accuracy", BINARY),
        ("Dense(1, activation=sigmoid)", "binary_crossentropy", "accuracy", BINARY[:, 0]),
        ("Dense(1, activation=sigmoid)", "binary_crossentropy", "Precision(), Recall(), AUC()", BINARY),
        ("Dense(1, activation=sigmoid)", "binary_crossentropy", "precision, recall, auc", BINARY),
        (
            "Dense(1, activation=sigmoid)",
            "binary_crossentropy",
            "Precision(thresholds=0.3), Recall(thresholds=0.7)",
            BINARY,
        ),
        (
            "Dense(1, activation=sigmoid)",
            "binary_crossentropy",
            "AUC(num_thresholds=20), BinaryAccuracy(threshold=0.4)",
            BINARY,
        ),
        ("Dense(6, activation=sigmoid)", "binary_crossentropy", "binary_accuracy, Precision(), Recall(), AUC()", MANY),
        ("Dense(6, activation=sigmoid)", "binary_crossentropy", "accuracy", MANY),
        ("Dense(6)", "mse", "mae, mse, mape, msle, RootMeanSquaredError(), cosine_similarity", NUMBERS),
        ("Dense(1)", "mse", "accuracy, mae", BINARY),
    ],
)
def test_a_metric_reports_as_in_keras(head: str, loss: str, metrics: str, target: np.ndarray) -> None:
    programs = Programs(text(head, loss, metrics))
    assert_same_reports(programs, {"x": X, "y": target}, 1e-5)
    found, expected = programs.evaluate({"x": X, "y": target})
    assert set(found) == set(expected)  # every name that Keras reports


def test_ties_in_the_top_k_count() -> None:
    programs = Programs(
        text("Dense(6, activation=softmax)", "categorical_crossentropy", "TopKCategoricalAccuracy(k=2)")
    )
    assert_same_reports(programs, {"x": np.zeros_like(X), "y": ONE_HOT}, 1e-5)


def test_metrics_leave_out_what_is_masked() -> None:
    source = """
model M {
    input words: int[6]
    output next = words -> Embedding(9, 4, mask_zero=true) -> Dense(3, activation=sigmoid)
        with loss=binary_crossentropy, metrics=[accuracy, binary_accuracy, mae]
    train { optimizer = sgd; batch_size = 4 }
}
"""
    words = random.integers(0, 9, (10, 6)) * (np.arange(6) < random.integers(1, 7, (10, 1)))
    target = random.integers(0, 2, (10, 6, 3)).astype("float32")
    assert_same_reports(Programs(source), {"words": words, "next": target}, 1e-5)


def test_names_of_several_outputs() -> None:
    source = """
model M {
    input x: float[5]
    output a = x -> Dense(1) with loss=mse, metrics=[mae]
    output b = x -> Dense(6, activation=softmax) with loss=sparse_categorical_crossentropy, weight=2, metrics=[accuracy]
    train { optimizer = sgd; batch_size = 10 }
}
"""
    programs = Programs(source)
    data = {"x": X, "a": BINARY, "b": IDS}
    assert_same_reports(programs, data, 1e-5)
    found, expected = programs.evaluate(data)
    assert set(found) == set(expected)
