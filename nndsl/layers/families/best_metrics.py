"""Metrics that look for the best threshold: one rate where another is high enough.

Definitions: keras/src/metrics/confusion_metrics.py (3.15).
"""

from __future__ import annotations

from typing import ClassVar

from nndsl import code
from nndsl.layers.entry import arg, entry
from nndsl.layers.families.confusion_metrics import CLASS_ID, MOST_THRESHOLDS, Counting
from nndsl.layers.kinds import Float, Int, Maybe
from nndsl.layers.training import TrainingCall


class _Best(Counting):
    """The best of one rate among the thresholds where another is high enough."""

    num_thresholds: int
    rates: ClassVar[tuple[str, str]]  # of which the best is taken, and which must be high enough

    def listed(self) -> tuple[float, ...]:
        if self.num_thresholds == 1:
            return (0.5,)
        return tuple(i / (self.num_thresholds - 1) for i in range(self.num_thresholds))

    def counts(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, weight: code.Expr | None) -> code.Expr:
        if self.num_thresholds == 2:  # Keras sorts into two as well
            options = {} if weight is None else {"weight": weight}
            return code.call(t.helper("confusion_evenly"), prediction, target, 2, **options)
        return super().counts(t, prediction, target, weight)

    def result(self, t: TrainingCall, total: code.Expr, *, pooled: bool) -> code.Expr:
        best, enough = (code.call(t.helper(rate), total) for rate in self.rates)
        least = getattr(self, next(iter(self.arguments)))
        return code.call(t.helper("best_where"), best, code.binary(">=", enough, t.single(least)))


NUM_THRESHOLDS = "How many thresholds from 0 to 1 are tried."


@entry("metric")
class SensitivityAtSpecificity(_Best):
    """The best sensitivity (the share of 1 that is predicted as 1) among the thresholds at which the specificity (the
    share of 0 that is predicted as 0) is at least `specificity`.

    Example:
        output ill = x -> Dense(1, activation=sigmoid)
            with loss=binary_crossentropy, metrics=[SensitivityAtSpecificity(0.9)]
    """

    rates = ("recall_of", "specificity_of")
    specificity = arg(Float(0, 1), "The specificity that is wanted at least.")
    num_thresholds = arg(Int(1, MOST_THRESHOLDS), NUM_THRESHOLDS, 200)
    class_id = arg(Maybe(Int(0)), CLASS_ID, None)


@entry("metric")
class SpecificityAtSensitivity(_Best):
    """The best specificity (the share of 0 that is predicted as 0) among the thresholds at which the sensitivity (the
    share of 1 that is predicted as 1) is at least `sensitivity`.

    Example:
        output ill = x -> Dense(1, activation=sigmoid)
            with loss=binary_crossentropy, metrics=[SpecificityAtSensitivity(0.9)]
    """

    rates = ("specificity_of", "recall_of")
    sensitivity = arg(Float(0, 1), "The sensitivity that is wanted at least.")
    num_thresholds = arg(Int(1, MOST_THRESHOLDS), NUM_THRESHOLDS, 200)
    class_id = arg(Maybe(Int(0)), CLASS_ID, None)


@entry("metric")
class PrecisionAtRecall(_Best):
    """The best precision among the thresholds at which the recall is at least `recall`.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[PrecisionAtRecall(0.8)]
    """

    rates = ("precision_of", "recall_of")
    recall = arg(Float(0, 1), "The recall that is wanted at least.")
    num_thresholds = arg(Int(1, MOST_THRESHOLDS), NUM_THRESHOLDS, 200)
    class_id = arg(Maybe(Int(0)), CLASS_ID, None)


@entry("metric")
class RecallAtPrecision(_Best):
    """The best recall among the thresholds at which the precision is at least `precision`.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[RecallAtPrecision(0.8)]
    """

    rates = ("recall_of", "precision_of")
    precision = arg(Float(0, 1), "The precision that is wanted at least.")
    num_thresholds = arg(Int(1, MOST_THRESHOLDS), NUM_THRESHOLDS, 200)
    class_id = arg(Maybe(Int(0)), CLASS_ID, None)
