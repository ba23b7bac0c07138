"""Accuracies: the share of samples that are predicted rightly.

Definitions: keras/src/metrics/accuracy_metrics.py (3.15). Where a metric compares with a threshold it is strictly
greater.
"""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.entry import arg, entry
from nndsl.layers.families.metrics import Computed, Numbers
from nndsl.layers.kinds import Bool, Float, Int
from nndsl.layers.measures import Metric, Misfit, as_numbers
from nndsl.layers.training import TrainingCall


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

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        if accuracy_kind(t.prediction, t.sparse) == "binary_accuracy":
            return code.call(t.helper("binary_accuracy"), prediction, target)
        return _largest(t, prediction, target if t.sparse else code.method(target, "argmax", -1))


def _largest(t: TrainingCall, prediction: code.Expr, ids: code.Expr) -> code.Expr:
    """1 where the largest number is at the target's class, else 0."""
    return as_numbers(t, code.binary("==", code.method(prediction, "argmax", -1), ids))


def accuracy_kind(prediction: TensorType, sparse: bool) -> str:
    """Which accuracy Keras means by `accuracy` (keras/src/trainers/compile_utils.py)."""
    if prediction.last == 1:
        return "binary_accuracy"
    return "sparse_categorical_accuracy" if sparse else "categorical_accuracy"


@entry("metric")
class BinaryAccuracy(Numbers):
    """The share of numbers on the right side of `threshold`; targets are 0 and 1.

    Example:
        output flags = x -> Dense(5, activation=sigmoid) with loss=binary_crossentropy, metrics=[binary_accuracy]
    """

    threshold = arg(Float(0, 1), "Above it a number counts as 1.", 0.5)

    def options(self) -> dict[str, object]:
        return {} if self.threshold == 0.5 else {"threshold": self.threshold}


class Classes(Computed):
    """A metric over classes along the last axis."""

    sparse = False

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        if prediction.last == 1:
            return "compares classes, and this output has one number for each sample"
        if sparse and not self.sparse:
            return f"takes one-hot targets, and the targets of this output are class ids: take `sparse_{self.label}`"
        if self.sparse and not sparse:
            return "takes class ids, and the targets of this output have its own shape: leave `sparse_` out"
        return None


@entry("metric")
class CategoricalAccuracy(Classes):
    """The share of samples whose largest number is where the one-hot target's 1 is.

    Example:
        output label = x -> Dense(10, activation=softmax)
            with loss=categorical_crossentropy, metrics=[categorical_accuracy]
    """

    def ranks(self, prediction: TensorType) -> bool:
        return True

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return _largest(t, prediction, code.method(target, "argmax", -1))


@entry("metric")
class SparseCategoricalAccuracy(Classes):
    """The share of samples whose largest number is at the target, a class id.

    Example:
        output label = x -> Dense(10, activation=softmax)
            with loss=sparse_categorical_crossentropy, metrics=[sparse_categorical_accuracy]
    """

    sparse = True

    def ranks(self, prediction: TensorType) -> bool:
        return True

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return _largest(t, prediction, target)


class _TopK(Classes):
    k: int
    from_sorted_ids = False

    def options(self) -> dict[str, object]:
        return {"k": self.k}

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        if prediction.dtype == "float64" and not self.from_sorted_ids:
            return "finds the largest numbers of a float32 alone in TensorFlow: leave it out of a model of float64"
        return super().problem(prediction, sparse)


@entry("metric")
class TopKCategoricalAccuracy(_TopK):
    """The share of samples whose target (one-hot) is among the `k` largest numbers; ties count as among them.

    Example:
        output label = x -> Dense(1000, activation=softmax)
            with loss=categorical_crossentropy, metrics=[top_k_categorical_accuracy]
    """

    k = arg(Int(1), "How many of the largest numbers count.", 5)


@entry("metric")
class SparseTopKCategoricalAccuracy(_TopK):
    """The share of samples whose target, a class id, is among the `k` largest numbers; ties count as among them.

    Example:
        output label = x -> Dense(1000, activation=softmax)
            with loss=sparse_categorical_crossentropy, metrics=[SparseTopKCategoricalAccuracy(k=3)]
    """

    sparse = True
    k = arg(Int(1), "How many of the largest numbers count.", 5)
    from_sorted_ids = arg(
        Bool(), "Whether the output is class ids already, the best first, as a retrieval gives them.", False
    )

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        if not self.from_sorted_ids:
            return super().values(t, prediction, target)
        first = code.index(prediction, code.ELLIPSIS, code.Slice(None, code.Literal(self.k)))
        found = code.binary("==", code.index(target, code.ELLIPSIS, None), first)
        return as_numbers(t, code.method(found, "any", -1))
