"""Metrics: what is reported of an output beside its loss, gathered over all batches of an epoch.

Definitions: keras/src/metrics (3.15). Where a metric compares with a threshold it is strictly greater.
"""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.entry import ConfigError, arg, entry, snake_case
from nndsl.layers.kinds import Choice, Float, Int, Maybe
from nndsl.layers.training import Metric, TrainingCall, only_last_axis


class _Helper(Metric):
    """A metric whose numbers a helper of its own name computes."""

    function = ""

    def options(self) -> dict[str, object]:
        return {}

    def torch(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        function = t.helper(self.function or snake_case(type(self).__name__))
        return code.call(function, prediction, target, **self.options())


class _Dense(_Helper):
    """A metric that compares numbers: the targets have the output's shape."""

    def problem(self, prediction: TensorType, sparse: bool) -> str | None:
        return "compares numbers, and the targets of this output are class ids" if sparse else None


@entry("metric", "acc")
class Accuracy(Metric):
    """The share of samples that are predicted rightly.

    As in Keras: over one number per sample, those on the right side of 0.5; where the targets are class ids, those
    whose largest number is at the target; else those whose largest number is where the target's is.

    Example:
        output label = x -> Dense(10, activation=softmax) with loss=categorical_crossentropy, metrics=[accuracy]
    """

    def ranks(self, prediction: TensorType) -> bool:
        return prediction.last != 1

    def torch(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        if accuracy_kind(t.prediction, t.sparse) == "binary_accuracy":
            return code.call(t.helper("binary_accuracy"), prediction, target)
        return _largest(prediction, target if t.sparse else code.method(target, "argmax", -1))


def _largest(prediction: code.Expr, ids: code.Expr) -> code.Expr:
    """1 where the largest number is at the target's class, else 0."""
    return code.method(code.binary("==", code.method(prediction, "argmax", -1), ids), "float")


def accuracy_kind(prediction: TensorType, sparse: bool) -> str:
    """Which accuracy Keras means by `accuracy` (keras/src/trainers/compile_utils.py)."""
    if prediction.last == 1:
        return "binary_accuracy"
    return "sparse_categorical_accuracy" if sparse else "categorical_accuracy"


@entry("metric")
class BinaryAccuracy(_Dense):
    """The share of numbers on the right side of `threshold`; targets are 0 and 1.

    Example:
        output flags = x -> Dense(5, activation=sigmoid) with loss=binary_crossentropy, metrics=[binary_accuracy]
    """

    threshold = arg(Float(0, 1), "Above it a number counts as 1.", 0.5)

    def options(self) -> dict[str, object]:
        return {} if self.threshold == 0.5 else {"threshold": self.threshold}


class _Classes(_Helper):
    """A metric over classes along the last axis."""

    sparse = False

    def problem(self, prediction: TensorType, sparse: bool) -> str | None:
        if prediction.last == 1:
            return "compares classes, and this output has one number for each sample"
        if sparse and not self.sparse:
            return f"takes one-hot targets, and the targets of this output are class ids: take `sparse_{self.label}`"
        if self.sparse and not sparse:
            return "takes class ids, and the targets of this output have its own shape: leave `sparse_` out"
        return None


@entry("metric")
class CategoricalAccuracy(_Classes):
    """The share of samples whose largest number is where the one-hot target's 1 is.

    Example:
        output label = x -> Dense(10, activation=softmax)
            with loss=categorical_crossentropy, metrics=[categorical_accuracy]
    """

    def ranks(self, prediction: TensorType) -> bool:
        return True

    def torch(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return _largest(prediction, code.method(target, "argmax", -1))


@entry("metric")
class SparseCategoricalAccuracy(_Classes):
    """The share of samples whose largest number is at the target, a class id.

    Example:
        output label = x -> Dense(10, activation=softmax)
            with loss=sparse_categorical_crossentropy, metrics=[sparse_categorical_accuracy]
    """

    sparse = True

    def ranks(self, prediction: TensorType) -> bool:
        return True

    def torch(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return _largest(prediction, target)


@entry("metric")
class TopKCategoricalAccuracy(_Classes):
    """The share of samples whose target (one-hot) is among the `k` largest numbers; ties count as among them.

    Example:
        output label = x -> Dense(1000, activation=softmax)
            with loss=categorical_crossentropy, metrics=[top_k_categorical_accuracy]
    """

    k = arg(Int(1), "How many of the largest numbers count.", 5)

    def options(self) -> dict[str, object]:
        return {"k": self.k}


@entry("metric")
class SparseTopKCategoricalAccuracy(_Classes):
    """The share of samples whose target, a class id, is among the `k` largest numbers; ties count as among them.

    Example:
        output label = x -> Dense(1000, activation=softmax)
            with loss=sparse_categorical_crossentropy, metrics=[SparseTopKCategoricalAccuracy(k=3)]
    """

    sparse = True
    k = arg(Int(1), "How many of the largest numbers count.", 5)

    def options(self) -> dict[str, object]:
        return {"k": self.k}


@entry("metric", "mse", "MSE")
class MeanSquaredError(_Dense):
    """Mean of the squared differences.

    Example:
        output y = x -> Dense(1) with loss=mae, metrics=[mse]
    """

    direction = "min"
    function = "squared_error"


@entry("metric", "mae", "MAE")
class MeanAbsoluteError(_Dense):
    """Mean of the absolute differences.

    Example:
        output y = x -> Dense(1) with loss=mse, metrics=[mae]
    """

    direction = "min"
    function = "absolute_error"


@entry("metric", "mape", "MAPE")
class MeanAbsolutePercentageError(_Dense):
    """Mean of the differences in percent of the target.

    Example:
        output price = x -> Dense(1) with loss=mse, metrics=[mape]
    """

    direction = "min"


@entry("metric", "msle", "MSLE")
class MeanSquaredLogarithmicError(_Dense):
    """Mean of the squared differences of `log(1 + value)`.

    Example:
        output visitors = x -> Dense(1, activation=relu) with loss=mse, metrics=[msle]
    """

    direction = "min"


@entry("metric")
class RootMeanSquaredError(_Dense):
    """Root of the mean of the squared differences, over all batches together.

    Example:
        output y = x -> Dense(1) with loss=mse, metrics=[RootMeanSquaredError()]
    """

    direction = "min"
    function = "squared_error"
    finish = "torch.sqrt"


@entry("metric")
class CosineSimilarity(_Dense):
    """Mean cosine of the angle between prediction and target: 1 where they point the same way.

    Example:
        output vector = x -> Dense(64) with loss=cosine_similarity, metrics=[cosine_similarity]
    """

    axis = arg(Int(), "The axis of the vectors: the last.", -1)

    def check(self) -> None:
        only_last_axis(self)


class _Confusion(_Dense):
    thresholds: float | None
    counted = True
    finish = "ratio"

    def options(self) -> dict[str, object]:
        return {} if self.thresholds is None else {"threshold": self.thresholds}


@entry("metric")
class Precision(_Confusion):
    """Of all numbers predicted as 1 (above the threshold), the share that is 1 in the targets; 0 where there is none.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[Precision()]
    """

    thresholds = arg(Maybe(Float(0, 1)), "Above it a number counts as 1; 0.5 by default.", None)


@entry("metric")
class Recall(_Confusion):
    """Of all numbers that are 1 in the targets, the share predicted as 1 (above the threshold); 0 where there is none.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[Recall()]
    """

    thresholds = arg(Maybe(Float(0, 1)), "Above it a number counts as 1; 0.5 by default.", None)


@entry("metric")
class AUC(_Dense):
    """Area under the ROC curve, from `num_thresholds` thresholds at equal distances, joined by straight lines.

    Predictions are probabilities; targets are 0 and 1.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[AUC()]
    """

    counted = True
    finish = "roc_area"
    num_thresholds = arg(Int(2), "How many thresholds the curve has.", 200)
    curve = arg(Choice("ROC", "PR"), "The curve: only `ROC` so far.", "ROC")

    def check(self) -> None:
        if self.curve != "ROC":
            raise ConfigError(
                "`AUC` has no curve but `ROC` yet", "curve", help="take `AUC()`, or leave it out", code="NN0218"
            )

    def options(self) -> dict[str, object]:
        return {} if self.num_thresholds == 200 else {"num_thresholds": self.num_thresholds}
