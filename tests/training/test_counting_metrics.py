"""Metrics that gather totals (confusions, curves, overlaps, R²), and losses as metrics, with every option against
Keras's own: through the emitted programs, over several batches, the last a partial one, in float32 and float64."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")
from tests.training.training_harness import Programs, assert_same_logs, assert_same_reports

pytestmark = [pytest.mark.keras, pytest.mark.torch]

random = np.random.default_rng(11)
X = random.normal(size=(50, 5)).astype("float32")
IDS = random.integers(0, 4, 50)
ONE_HOT = np.eye(4, dtype="float32")[IDS]
MANY = random.integers(0, 2, (50, 4)).astype("float32")
NUMBERS = random.normal(size=(50, 4)).astype("float32")
SOFTMAX, SIGMOID = "Dense(4, activation=softmax)", "Dense(4, activation=sigmoid)"


def text(head: str, loss: str, metrics: str, *, options: str = "", train: str = "", weighted: str = "") -> str:
    more = f", weighted_metrics=[{weighted}]" if weighted else ""
    return (
        f"model M {{\n    input x: float[5]\n    options {{ {options} }}\n"
        f"    output y = x -> {head} with loss={loss}, metrics=[{metrics}]{more}\n"
        f"    train {{ optimizer = SGD(0.05); batch_size = 16; epochs = 2; {train} }}\n}}\n"
    )


CONFUSIONS = """
    TruePositives(), FalsePositives(thresholds=0.3), TrueNegatives(), FalseNegatives(thresholds=[0.2, 0.7]),
    Precision(name=p), Precision(thresholds=[0.3], name=p3), Precision(thresholds=[0, 0.5, 1], name=even),
    Precision(thresholds=[0.1, 0.45, 0.9], name=three), Precision(top_k=2, name=k2), Precision(class_id=1, name=c1),
    Precision(thresholds=0.4, top_k=1, class_id=2, name=all), Recall(name=r), Recall(top_k=3, name=r3),
    Recall(thresholds=[0.2, 0.6], class_id=0, name=r0)
"""
BESTS = """
    SensitivityAtSpecificity(0.5), SensitivityAtSpecificity(0.9, num_thresholds=1, name=one),
    SpecificityAtSensitivity(0.7, num_thresholds=2), SpecificityAtSensitivity(0.4, num_thresholds=30, name=thirty),
    PrecisionAtRecall(0.6), PrecisionAtRecall(1, name=sure), RecallAtPrecision(0.5, class_id=1),
    RecallAtPrecision(0.55, name=more)
"""
CURVES = ", ".join(
    f"AUC(curve={curve}, summation_method={method}, name={curve.lower()}_{method})"
    for curve in ("ROC", "PR", "PRGAIN")
    for method in ("interpolation", "minoring", "majoring")
)
AUCS = """
    AUC(num_thresholds=20), AUC(thresholds=[0.8, 0.1, 0.55], name=own), AUC(thresholds=[0.25, 0.5, 0.75], name=even),
    AUC(multi_label=true, name=each), AUC(multi_label=true, num_labels=4, label_weights=[1, 2, 0, 0.5], name=weighed),
    AUC(multi_label=true, curve=PR, thresholds=[0.3, 0.4], name=each_pr), AUC(label_weights=[1, 2, 0.3, 0.5], name=w),
    AUC(num_thresholds=2, name=two), AUC(curve=PR, label_weights=[1, 2, 0.3, 0.5], thresholds=[0.4, 0.6], name=w2)
"""
OVERLAPS = """
    F1Score(), F1Score(average=micro, name=micro), F1Score(average=macro, threshold=0.3, name=macro),
    FBetaScore(average=weighted, beta=2), FBetaScore(beta=0.5, threshold=0.25, name=half), BinaryIoU(),
    BinaryIoU(target_class_ids=[1], threshold=0.3, name=ones), OneHotIoU(4, [0, 2]), OneHotMeanIoU(4),
    OneHotMeanIoU(4, ignore_class=1, name=three), OneHotIoU(4, [1], ignore_class=1, name=none_left),
    MeanIoU(4, sparse_y_true=false, sparse_y_pred=false), R2Score(), R2Score(class_aggregation=none, name=r2),
    R2Score(class_aggregation=variance_weighted_average, name=r2_weighted)
"""
LOSSES = """
    binary_crossentropy, BinaryCrossentropy(label_smoothing=0.2, name=b), categorical_crossentropy,
    CategoricalCrossentropy(label_smoothing=0.1, name=c), kl_divergence, poisson, hinge, squared_hinge,
    categorical_hinge, log_cosh_error, LogCoshError(), log_cosh, huber, huber(delta=0.3, name=narrow),
    binary_focal_crossentropy, binary_focal_crossentropy(gamma=1, apply_class_balancing=true, name=balanced),
    categorical_focal_crossentropy, categorical_focal_crossentropy(alpha=[1, 2, 3, 0.5], label_smoothing=0.1, name=f),
    pearson_correlation, concordance_correlation, cosine_similarity, CosineSimilarity(axis=0, name=down),
    PearsonCorrelation(axis=0, name=r), ConcordanceCorrelation(axis=0, name=a), RootMeanSquaredError(),
    mean_squared_logarithmic_error
"""
CASES = {
    "confusions": (SIGMOID, "bce", CONFUSIONS, MANY),
    "confusions of classes": (SOFTMAX, "categorical_crossentropy", CONFUSIONS, ONE_HOT),
    "bests": (SIGMOID, "bce", BESTS, MANY),
    "curves": (SIGMOID, "bce", CURVES, MANY),
    "areas": (SIGMOID, "bce", AUCS, MANY),
    "areas of logits": ("Dense(4)", "mse", "AUC(from_logits=true), AUC(from_logits=true, curve=PR, name=pr)", MANY),
    "overlaps": (SOFTMAX, "categorical_crossentropy", OVERLAPS, ONE_HOT),
    "overlaps of several": (SIGMOID, "bce", OVERLAPS, MANY),
    "losses": (SOFTMAX, "categorical_crossentropy", LOSSES, ONE_HOT),
    "losses of sigmoids": (SIGMOID, "mse", LOSSES, MANY),
    "losses of numbers": ("Dense(4, activation=softplus)", "mse", "poisson, huber, log_cosh, R2Score()", NUMBERS),
    "class ids": (
        SOFTMAX,
        "sparse_categorical_crossentropy",
        "IoU(4, [0, 1], sparse_y_pred=false), MeanIoU(4, sparse_y_pred=false), sparse_categorical_crossentropy, "
        "MeanIoU(4, sparse_y_pred=false, ignore_class=0, name=but_one), "
        "SparseCategoricalCrossentropy(ignore_class=2, name=ignoring)",
        IDS,
    ),
    "ids as numbers": ("Dense(1)", "mse", "IoU(4, [0, 1]), MeanIoU(5)", IDS[:, None].astype("float32")),
    "sorted ids": (
        "Dense(4)",
        "sparse_categorical_crossentropy(from_logits=true)",
        "SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=true)",
        IDS,
    ),
}
FLOAT32 = {"overlaps", "overlaps of several", "class ids", "ids as numbers"}  # IoU is float32 in Keras too


@pytest.mark.parametrize("case", CASES)
def test_a_metric_reports_as_in_keras(case: str) -> None:
    head, loss, metrics, target = CASES[case]
    programs = Programs(text(head, loss, metrics))
    assert_same_reports(programs, {"x": X, "y": target}, 1e-5)
    found, expected = programs.evaluate({"x": X, "y": target})
    assert set(found) == set(expected)


@pytest.mark.parametrize("case", CASES)
def test_a_metric_reports_as_in_keras_in_float64(case: str) -> None:
    head, loss, metrics, target = CASES[case]
    programs = Programs(text(head, loss, metrics, options="float = float64"))
    assert_same_reports(programs, {"x": X, "y": target}, 1e-7 if case in FLOAT32 else 1e-10)


TAGS = """
model M {{
    input words: int[6]
    options {{ float = float64 }}
    output next = words -> Embedding(9, 4, mask_zero=true) -> Dense(4, activation={activation})
        with loss={loss}, metrics=[{metrics}], weighted_metrics=[{weighted}]
    train {{ optimizer = SGD(learning_rate=0.1); batch_size = 4; epochs = 2; shuffle = false; {train} }}
}}
"""
OF_STEPS = """
    accuracy, mae, RootMeanSquaredError(), Precision(), Recall(thresholds=[0.2, 0.6]), AUC(), cosine_similarity,
    BinaryIoU(), FalseNegatives(), categorical_crossentropy, huber, pearson_correlation
"""
OF_IDS = """
    accuracy, sparse_categorical_crossentropy, SparseCategoricalCrossentropy(ignore_class=1, name=ignoring),
    MeanIoU(4, sparse_y_pred=false)
"""


@pytest.mark.parametrize("train", ["", "class_weight = [1, 5, 0.1, 2]"])
@pytest.mark.parametrize(
    ("activation", "loss", "metrics"),
    [
        ("softmax", "categorical_crossentropy", OF_STEPS),
        ("softmax", "sparse_categorical_crossentropy", OF_IDS),
    ],
)
def test_masks_and_weights_count_as_in_keras(activation: str, loss: str, metrics: str, train: str) -> None:
    """Means heed the mask of an output, what counts does not; `weighted_metrics` heed class weights in training."""
    numbers = np.random.default_rng(3)
    words = numbers.integers(0, 9, (10, 6)) * (np.arange(6) < numbers.integers(1, 7, (10, 1)))
    ids = numbers.integers(0, 4, (10, 6))
    target = ids if loss.startswith("sparse") else np.eye(4, dtype="float32")[ids]
    weighted = metrics.replace("BinaryIoU(), ", "")  # Keras cannot weigh the numbers of a sample alike
    source = TAGS.format(activation=activation, loss=loss, metrics=metrics, weighted=weighted, train=train)
    programs = Programs(source)
    data = {"words": words, "next": target}
    assert_same_reports(programs, data, 1e-7)  # IoU is float32 in Keras
    assert_same_logs(programs, data, 1e-7)


WEIGHED = """
    accuracy, mae, RootMeanSquaredError(), Precision(thresholds=[0.3, 0.6]), Recall(class_id=2), AUC(), R2Score(),
    AUC(multi_label=true, name=each), F1Score(), F1Score(average=weighted, name=f), OneHotMeanIoU(4), kl_divergence,
    SensitivityAtSpecificity(0.6), AUC(curve=PR, thresholds=[0.2, 0.7], label_weights=[1, 2, 3, 4], name=pr)
"""


def test_weighted_metrics_in_training() -> None:
    source = text(SOFTMAX, "categorical_crossentropy", WEIGHED, weighted=WEIGHED, train="class_weight = [1, 2, 0.5, 3]")
    programs, data = Programs(source), {"x": X, "y": ONE_HOT}
    assert_same_reports(programs, data, 1e-5)
    found, expected = programs.evaluate(data)
    assert set(found) == set(expected) and "weighted_f1_score_3" in found
    assert_same_logs(programs, data, 1e-5)


EDGES = """
    Precision(), Recall(), AUC(), AUC(curve=PR, name=pr), AUC(curve=PRGAIN, name=gain), F1Score(average=macro),
    R2Score(), PrecisionAtRecall(0.5), SpecificityAtSensitivity(1), BinaryIoU(), Precision(top_k=2, name=k),
    concordance_correlation, OneHotMeanIoU(4), F1Score(average=micro, threshold=0.5, name=f),
    SensitivityAtSpecificity(0, num_thresholds=3)
"""


@pytest.mark.parametrize("what", ["nothing to find", "nothing else", "all equal", "certain"])
def test_edges(what: str) -> None:
    """No positive targets, only such; predictions that are equal and lie on a threshold; predictions of 0 and 1."""
    data = {"x": X, "y": MANY}
    if what in ("nothing to find", "nothing else"):
        data["y"] = np.full_like(MANY, what == "nothing else")
    data["x"] = np.zeros_like(X) if what == "all equal" else X * 1e4 if what == "certain" else X
    programs = Programs(text("Dense(4, activation=sigmoid, use_bias=false)", "mse", EDGES))
    assert_same_reports(programs, data, 1e-5)


def test_names_and_several_outputs() -> None:
    source = """
model M {
    input x: float[5]
    output a = x -> Dense(1, activation=sigmoid)
        with loss=bce, metrics=[Precision(), auc], weighted_metrics=[Precision(), Recall()]
    output b = x -> Dense(4, activation=softmax)
        with loss=categorical_crossentropy, metrics=[FBetaScore(), LogCoshError(), log_cosh_error, io]
    output c = x -> Dense(2)
    train { optimizer = sgd; batch_size = 16 }
}
""".replace(", io]", ", OneHotIoU(4, [1], name=io)]")
    programs = Programs(source)
    data = {"x": X, "a": MANY[:, :1], "b": ONE_HOT}
    found, expected = programs.evaluate(data)
    assert set(found) == set(expected)
    for name in set(found) - {"a_loss", "b_loss"}:  # of which Keras reports the mean over batches, of whatever size
        assert abs(found[name] - expected[name]) <= 1e-5 * max(1, abs(expected[name])), name
    assert {"a_weighted_precision", "a_recall", "b_fbeta_score_3", "b_logcosh", "b_log_cosh_error"} <= set(found)
