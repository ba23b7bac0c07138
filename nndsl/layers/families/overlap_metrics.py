"""Metrics of classes as a whole: intersection over union, F scores.

Definitions: keras/src/metrics/iou_metrics.py, f_score_metrics.py (3.15).
"""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.metrics import ONE_ROW, Numbers
from nndsl.layers.kinds import Bool, Choice, Float, Int, ListOf, Maybe
from nndsl.layers.measures import Metric, Misfit
from nndsl.layers.training import TrainingCall

IDS = "The classes whose mean is reported."
CLASSES = "How many classes there are."
IGNORED = "A class id whose samples do not count."
SPARSE_TARGET = "Whether the targets are class ids; otherwise the largest number along the last axis is the class."
SPARSE_OUTPUT = "Whether the output is class ids; otherwise the largest number along the last axis is the class."
AXIS = "The axis of the classes: the last."


class _IoU(Metric):
    """A metric of the confusion matrix of all classes."""

    counted = True
    masks = False
    num_classes: int
    target_class_ids: tuple[int, ...] | None = None
    ignore_class: int | None = None
    sparse_y_true: bool = True
    sparse_y_pred: bool = True
    axis: int = -1

    def check(self) -> None:
        if self.axis != -1:
            raise ConfigError(
                f"`axis` of `{self.title()}` must be -1: with another one Keras cannot give the result",
                "axis",
                help="bring the classes to the end with `Permute` before the output",
                code="NN0218",
            )
        if max(self.target_class_ids or (0,)) >= self.num_classes:
            raise ConfigError(
                f"`target_class_ids` of `{self.title()}` are from 0 to {self.num_classes - 1}, not "
                f"{max(self.target_class_ids or ())}",
                "target_class_ids",
                help="class ids count from 0",
            )

    def ranks(self, prediction: TensorType) -> bool:
        return not self.sparse_y_pred

    def ids(self, prediction: code.Expr, target: code.Expr) -> tuple[code.Expr, code.Expr]:
        """The class ids of prediction and target."""
        return (
            prediction if self.sparse_y_pred else code.method(prediction, "argmax", -1),
            target if self.sparse_y_true else code.method(target, "argmax", -1),
        )

    def totals(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, weight: code.Expr | None) -> code.Expr:
        options: dict[str, object] = {}
        if self.ignore_class is not None:
            options["ignored"] = self.ignore_class
        if weight is not None:
            options["weight"] = weight
        return code.call(t.helper("confusion_matrix"), *self.ids(prediction, target), self.num_classes, **options)

    def result(self, t: TrainingCall, total: code.Expr, *, pooled: bool) -> code.Expr:
        chosen = self.target_class_ids
        every = chosen is None or (len(chosen) == self.num_classes and chosen == tuple(range(len(chosen))))
        return code.call(t.helper("mean_iou"), total, *([] if every else [list(chosen or ())]))

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        if sparse and not self.sparse_y_true:
            other = "IoU" if self.title() == "OneHotIoU" else "MeanIoU"
            return (
                f"takes one-hot targets, and the targets of this output are class ids: take `{other}` with "
                "`sparse_y_pred=false`"
            )
        if self.sparse_y_pred and prediction.last != 1:
            return "takes an output of class ids, and this one has a number for each class: add `sparse_y_pred=false`"
        if self.sparse_y_true and not sparse and not self.sparse_y_pred:
            return "takes class ids, and the targets of this output have its own shape: add `sparse_y_true=false`"
        return None


@entry("metric")
class IoU(_IoU):
    """Intersection over union of some classes: how often prediction and target are both of a class, over how often one
    of them is; the mean over `target_class_ids`.

    Example:
        output label = x -> Dense(4, activation=softmax)
            with loss=sparse_categorical_crossentropy, metrics=[IoU(4, [1, 2], sparse_y_pred=false)]
    """

    num_classes = arg(Int(1), CLASSES)
    target_class_ids = arg(ListOf(Int(0), least=1), IDS)
    ignore_class = arg(Maybe(Int()), IGNORED, None)
    sparse_y_true = arg(Bool(), SPARSE_TARGET, True)
    sparse_y_pred = arg(Bool(), SPARSE_OUTPUT, True)
    axis = arg(Int(), AXIS, -1)


@entry("metric")
class BinaryIoU(_IoU):
    """`IoU` of the classes 0 and 1; numbers at or above the threshold are predicted as 1.

    Example:
        output area = x -> Dense(4, activation=sigmoid) with loss=binary_crossentropy, metrics=[BinaryIoU()]
    """

    num_classes = 2
    target_class_ids = arg(ListOf(Int(0, 1), least=1), IDS, (0, 1))
    threshold = arg(Float(), "From here on a number counts as 1.", 0.5)

    def ids(self, prediction: code.Expr, target: code.Expr) -> tuple[code.Expr, code.Expr]:
        return code.binary(">=", code.method(prediction, "float"), self.threshold), target

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        if self.weighted and not sparse and prediction.last != 1:
            return "counts each number by itself, and a sample has one weight for several: give it among `metrics`"
        return "compares numbers, and the targets of this output are class ids" if sparse else None


@entry("metric")
class MeanIoU(_IoU):
    """`IoU` of all classes.

    Example:
        output label = x -> Dense(4, activation=softmax)
            with loss=sparse_categorical_crossentropy, metrics=[MeanIoU(4, sparse_y_pred=false)]
    """

    num_classes = arg(Int(1), CLASSES)
    ignore_class = arg(Maybe(Int()), IGNORED, None)
    sparse_y_true = arg(Bool(), SPARSE_TARGET, True)
    sparse_y_pred = arg(Bool(), SPARSE_OUTPUT, True)
    axis = arg(Int(), AXIS, -1)


@entry("metric")
class OneHotIoU(_IoU):
    """`IoU` of one-hot targets, and of outputs with a number for each class.

    Example:
        output label = x -> Dense(4, activation=softmax)
            with loss=categorical_crossentropy, metrics=[OneHotIoU(4, [1, 2])]
    """

    sparse_y_true = False
    num_classes = arg(Int(1), CLASSES)
    target_class_ids = arg(ListOf(Int(0), least=1), IDS)
    ignore_class = arg(Maybe(Int()), IGNORED, None)
    sparse_y_pred = arg(Bool(), SPARSE_OUTPUT, False)
    axis = arg(Int(), AXIS, -1)


@entry("metric")
class OneHotMeanIoU(_IoU):
    """`MeanIoU` of one-hot targets, and of outputs with a number for each class.

    Example:
        output label = x -> Dense(4, activation=softmax)
            with loss=categorical_crossentropy, metrics=[OneHotMeanIoU(4)]
    """

    sparse_y_true = False
    num_classes = arg(Int(1), CLASSES)
    ignore_class = arg(Maybe(Int()), IGNORED, None)
    sparse_y_pred = arg(Bool(), SPARSE_OUTPUT, False)
    axis = arg(Int(), AXIS, -1)


class _FScore(Numbers):
    counted = True
    masks = False
    average: str | None
    beta: float = 1.0
    threshold: float | None

    def several(self, prediction: TensorType) -> int | None:
        last = prediction.last
        return last if self.average is None and isinstance(last, int) else None

    def totals(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, weight: code.Expr | None) -> code.Expr:
        options = {"threshold": self.threshold, "weight": weight}
        given = {name: value for name, value in options.items() if value is not None}
        return code.call(t.helper("f_counts"), prediction, target, **given)

    def result(self, t: TrainingCall, total: code.Expr, *, pooled: bool) -> code.Expr:
        options: dict[str, object] = {} if self.average is None else {"average": self.average}
        if self.beta != 1.0:
            options["beta"] = self.beta
        return code.call(t.helper("f_score"), total, **options)

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        if not sparse and (prediction.rank != 2 or not isinstance(prediction.last, int)):
            return f"takes one row of numbers for each sample, and this output is {prediction}: {ONE_ROW}"
        return super().problem(prediction, sparse)


AVERAGE = (
    "How the scores of the classes become one: `micro` counts all classes together, `macro` is their mean, `weighted` "
    "their mean by how often each occurs; `none` reports each."
)
THRESHOLD = "Above it a number counts as 1; without one the largest number of a sample does."


def average() -> str | None:
    return arg(Maybe(Choice("micro", "macro", "weighted")), AVERAGE, None)


def threshold() -> float | None:
    return arg(Maybe(Float(0, 1, above=True)), THRESHOLD, None)


@entry("metric")
class F1Score(_FScore):
    """The harmonic mean of precision and recall, of each class or of all.

    Example:
        output label = x -> Dense(4, activation=softmax)
            with loss=categorical_crossentropy, metrics=[F1Score(average=macro)]
    """

    average = average()
    threshold = threshold()


@entry("metric")
class FBetaScore(_FScore):
    """The harmonic mean of precision and recall, in which recall counts `beta` times as much.

    Example:
        output label = x -> Dense(4, activation=softmax)
            with loss=categorical_crossentropy, metrics=[FBetaScore(average=macro, beta=2.0)]
    """

    keras_name = "fbeta_score"
    average = average()
    beta = arg(Float(0, above=True), "How much more recall counts than precision.", 1.0)
    threshold = threshold()
