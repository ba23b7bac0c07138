"""Counts of classifiers and numbers of regressions, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.runtime.reports.confusion import MOST_CLASSES, confusion_of
from nndsl.runtime.reports.gathering import Gathering
from nndsl.runtime.reports.judged import Judged
from nndsl.runtime.reports.predictions import MOST_POINTS, thinned
from nndsl.runtime.reports.regression import MOST_KEPT, columns_of

GENERATOR = np.random.default_rng(0)


def logits(*shape: int) -> np.ndarray:
    return GENERATOR.standard_normal(shape).astype(np.float32)


def test_precision_recall_and_f1_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    prediction, target = logits(400, 7), GENERATOR.integers(0, 6, 400)  # the last class is never there
    found = confusion_of(Judged("label", prediction, target, "sparse_categorical_crossentropy"))
    assert found is not None and found.matrix is not None
    guess = prediction.argmax(axis=1)
    assert np.array_equal(found.matrix, metrics.confusion_matrix(target, guess, labels=range(7)))
    assert found.accuracy == metrics.accuracy_score(target, guess)
    theirs = metrics.precision_recall_fscore_support(target, guess, labels=range(7), zero_division=np.nan)
    for ours, wanted in zip((found.precision, found.recall, found.f1, found.support), theirs, strict=True):
        np.testing.assert_allclose(ours, wanted)
    assert np.isnan(found.recall[6]) and np.isnan(theirs[1][6])


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "categorical_hinge", "dice", "kl_divergence"])
def test_one_hot_targets_are_class_ids(loss: str) -> None:
    prediction, ids = logits(50, 4), GENERATOR.integers(0, 4, 50)
    one_hot = np.eye(4, dtype=np.float32)[ids]
    sparse = confusion_of(Judged("y", prediction, ids[:, None], "sparse_categorical_crossentropy"))
    found = confusion_of(Judged("y", prediction, one_hot, loss))
    assert found is not None and sparse is not None and np.array_equal(found.matrix, sparse.matrix)


def test_yes_or_no_at_a_half_or_at_zero() -> None:
    target = np.array([[0], [0], [1], [1], [1]], np.float32)
    prediction = np.array([[0.2], [0.7], [0.9], [0.5], [0.6]], np.float32)
    found = confusion_of(Judged("sick", prediction, target, "binary_crossentropy", ["well", "ill"]))
    assert found is not None and found.matrix is not None
    assert found.matrix.tolist() == [[1, 1], [1, 2]] and found.names == ["well", "ill"]
    around = confusion_of(Judged("sick", prediction - 0.5, target, "binary_crossentropy", from_logits=True))
    hinge = confusion_of(Judged("sick", prediction - 0.5, 2 * target - 1, "squared_hinge"))
    assert around is not None and hinge is not None
    assert np.array_equal(around.matrix, found.matrix) and np.array_equal(hinge.matrix, found.matrix)


def test_steps_are_decisions_and_some_do_not_count() -> None:
    prediction, target = logits(6, 5, 3), GENERATOR.integers(0, 3, (6, 5))
    target[0, 0], target[1, 1], target[2, 2] = -1, 2, 1
    prediction[2, 2, 0] = np.nan
    mask = np.ones((6, 5), bool)
    mask[3, 4] = False
    keep = mask & (target >= 0) & (target != 2) & np.isfinite(prediction).all(axis=-1)
    found = confusion_of(
        Judged("tags", prediction, target, "sparse_categorical_crossentropy", ignore_class=2, mask=mask)
    )
    assert found is not None and found.matrix is not None
    assert found.samples == keep.sum() == found.matrix.sum() and not found.support[2]
    for row, column in np.ndindex(3, 3):
        there = keep & (target == row) & (np.nan_to_num(prediction).argmax(axis=-1) == column)
        assert found.matrix[row, column] == there.sum()
    assert found.left_out["whose prediction is no number"] == 1
    assert sum(found.left_out.values()) == 30 - found.samples


def test_labels_that_may_be_there_together() -> None:
    target = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 0], [1, 0, 1]])
    prediction = np.array([[0.9, 0.8, 0.1], [0.9, 0.9, 0.2], [0.1, 0.1, 0.1], [0.2, 0.3, 0.9]])
    found = confusion_of(Judged("tags", prediction, target, "binary_crossentropy", ["dog", "cat", "tree"]))
    assert found is not None and found.labels and found.matrix is None
    assert (
        found.right.tolist() == [2, 1, 1]
        and found.claimed.tolist() == [2, 2, 1]
        and found.support.tolist() == [3, 1, 2]
    )
    assert found.accuracy == pytest.approx(9 / 12)


def test_a_vocabulary_needs_no_matrix() -> None:
    prediction, target = logits(8, MOST_CLASSES + 1), np.arange(8)
    found = confusion_of(Judged("word", prediction, target, "sparse_categorical_crossentropy"))
    assert found is not None and found.matrix is None and found.support.sum() == 8


@pytest.mark.parametrize(
    ("prediction", "target", "loss"),
    [
        (logits(5, 1), logits(5, 1), "mean_squared_error"),
        (np.full((5, 784), 0.5), np.full((5, 784), 0.3), "binary_crossentropy"),  # grey values of an autoencoder
        (np.full((5, 4), 0.25), np.full((5, 4), 0.25), "kl_divergence"),
        (logits(5, 4), np.zeros((5, 2)), "sparse_categorical_crossentropy"),
        (logits(5, 8, 4), np.zeros((5, 3)), "ctc"),
        (logits(0, 4), np.zeros(0), "sparse_categorical_crossentropy"),
    ],
)
def test_what_is_no_classifier(prediction: np.ndarray, target: np.ndarray, loss: str) -> None:
    assert confusion_of(Judged("y", prediction, target, loss)) is None


def test_numbers_of_a_regression() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    truth = logits(300, 2) * [1, 100]
    guess = truth + logits(300, 2)
    guess[7, 0] = np.inf
    first, second = columns_of(Judged("y", guess, truth, "mean_absolute_error", ["height", "weight"])) or []
    assert (first.name, second.name, first.left_out, second.left_out) == ("height", "weight", 1, 0)
    assert second.r2 == pytest.approx(metrics.r2_score(truth[:, 1], guess[:, 1]))
    assert second.mae == pytest.approx(metrics.mean_absolute_error(truth[:, 1], guess[:, 1]))
    assert second.rmse == pytest.approx(metrics.root_mean_squared_error(truth[:, 1], guess[:, 1]))
    assert second.bias == pytest.approx((guess[:, 1] - truth[:, 1]).mean())


def test_columns_of_other_shapes() -> None:
    (flat,) = columns_of(Judged("y", logits(9, 1), logits(9), "huber")) or []
    assert flat.name == "y" and flat.truth.shape == (9,)
    steps = columns_of(Judged("y", logits(4, 5, 2), logits(4, 5, 2), "mean_squared_error", mask=np.eye(4, 5))) or []
    assert [column.name for column in steps] == ["y[0]", "y[1]"] and len(steps[0].truth) == 4
    (pixels,) = columns_of(Judged("picture", logits(4, 784), logits(4, 784), "binary_crossentropy")) or []
    assert pixels.truth.shape == (4 * 784,)
    assert columns_of(Judged("y", logits(4, 2), logits(4, 3), "mean_squared_error")) is None


def test_thinning_is_the_same_every_time_and_keeps_the_order() -> None:
    chosen = thinned(20_000, MOST_POINTS)
    assert (
        len(chosen) == MOST_POINTS
        and (np.diff(chosen) > 0).all()
        and np.array_equal(chosen, thinned(20_000, MOST_POINTS))
    )
    assert thinned(3, MOST_POINTS).tolist() == [0, 1, 2]


def in_batches(judged: Judged, size: int) -> Gathering:
    found = Gathering(judged.output, judged.loss, judged.classes, ignore_class=judged.ignore_class)
    for start in range(0, len(judged.prediction), size):
        found.add(judged.prediction[start : start + size], judged.target[start : start + size])
    return found


def test_batches_come_to_the_same_as_all_at_once() -> None:
    steps = Judged("w", logits(50, 7, 4), GENERATOR.integers(-1, 4, (50, 7)), "sparse_categorical_crossentropy")
    labels = Judged("tags", logits(50, 5), GENERATOR.integers(0, 2, (50, 5)), "binary_crossentropy")
    for judged in (steps, labels):
        whole, parts = confusion_of(judged), in_batches(judged, 8).confusion
        assert (
            whole is not None
            and parts is not None
            and (whole.left_out, whole.samples) == (parts.left_out, parts.samples)
        )
        for name in ("matrix", "support", "claimed", "right"):
            assert np.array_equal(getattr(whole, name), getattr(parts, name))
    truth = logits(100, 2) + np.array([5000.0, 0.0])
    numbers = Judged("y", truth + logits(100, 2), truth, "mean_squared_error")
    for one, other in zip(columns_of(numbers) or [], in_batches(numbers, 7).columns or [], strict=True):
        assert np.array_equal(one.truth, other.truth) and np.array_equal(one.guess, other.guess)
        for name in ("r2", "mae", "rmse", "bias"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9)


def test_grey_values_in_the_last_batch_make_a_regression() -> None:
    found = Gathering("picture", "binary_crossentropy")
    found.add(np.full((4, 3), 0.4), np.ones((4, 3)))
    assert found.confusion is not None and found.columns is None
    found.add(np.full((4, 3), 0.4), np.full((4, 3), 0.5))
    found.add(np.full((4, 3), 0.4), np.ones((4, 3)))
    assert found.confusion is None and found.columns is not None
    assert [column.sums.count for column in found.columns] == [12, 12, 12]


def test_memory_is_bounded_and_what_is_kept_is_spread_evenly() -> None:
    found = Gathering("y", "mean_squared_error")
    rows = 0
    while rows < 5 * MOST_KEPT:
        size = 60_001
        number = np.arange(rows, rows + size, dtype=np.float64)
        found.add(number + 1, number)
        rows += size
    (column,) = found.columns or []
    assert MOST_KEPT / 2 <= len(column.truth) <= MOST_KEPT
    assert column.stride == 8 and np.array_equal(column.truth, np.arange(0, rows, 8))
    assert column.sums.count == rows and column.mae == 1.0 and column.bias == 1.0


def test_outputs_whose_width_changes_have_no_numbers_in_common() -> None:
    for loss in ("mean_squared_error", "sparse_categorical_crossentropy"):
        found = Gathering("y", loss)
        for width in (2, 3, 3):
            found.add(logits(4, width), np.zeros(4) if loss.startswith("sparse") else logits(4, width))
        assert found.confusion is None and found.columns is None
