"""Metrics that count: predictions above thresholds (confusions), and the area under curves over all thresholds.

Definitions: keras/src/metrics/confusion_metrics.py, metrics_utils.py (3.15). A number is predicted as 1 where it is
strictly greater than the threshold.
"""

from __future__ import annotations

from typing import ClassVar

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.metrics import Numbers
from nndsl.layers.kinds import Bool, Choice, Float, Int, ListOf, Maybe
from nndsl.layers.measures import Misfit
from nndsl.layers.training import TrainingCall

THRESHOLDS = "Above it a number counts as 1: one threshold, or several, with a result for each; 0.5 by default."
MOST_THRESHOLDS = 100_000  # the numbers are made here, and each of them is tried for each batch
_LOWEST = -1e10  # what Keras puts in the place of numbers that are not among the k largest


def evenly_spaced(thresholds: tuple[float, ...]) -> bool:
    """Whether Keras sorts numbers into such thresholds by multiplication: 0, …, 1 in equal steps, about."""
    last = len(thresholds) - 1
    return last >= 2 and all(abs(t - i / last) <= 1e-7 + 1e-5 * i / last for i, t in enumerate(thresholds))


class Counting(Numbers):
    """A metric of the confusion matrix at each threshold: true and false positives, false and true negatives."""

    counted = True
    masks = False

    def listed(self) -> tuple[float, ...]:
        """The thresholds."""
        raise NotImplementedError

    def counts(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, weight: code.Expr | None) -> code.Expr:
        thresholds, options = self.listed(), {} if weight is None else {"weight": weight}
        if evenly_spaced(thresholds):
            return code.call(t.helper("confusion_evenly"), prediction, target, len(thresholds), **options)
        return code.call(t.helper("confusion"), prediction, target, list(thresholds), **options)

    def totals(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, weight: code.Expr | None) -> code.Expr:
        if weight is not None and not getattr(self, "multi_label", False):  # one for each sample, for all its numbers
            weight = code.index(weight, code.ELLIPSIS, None)
        class_id = getattr(self, "class_id", None)
        if class_id is not None:
            one = code.Slice(code.Literal(class_id), code.Literal(class_id + 1))
            prediction, target = (code.index(x, code.ELLIPSIS, one) for x in (prediction, target))
        return self.counts(t, prediction, target, weight)

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        class_id, last = getattr(self, "class_id", None), prediction.last
        if class_id is not None and isinstance(last, int) and class_id >= last:
            return f"looks at class {class_id}, and the output has {last}: classes count from 0", "class_id"
        return super().problem(prediction, sparse)


class _AtThresholds(Counting):
    """A metric with a result for each threshold."""

    thresholds: tuple[float, ...] | None

    def listed(self) -> tuple[float, ...]:
        return self.thresholds or (0.5,)

    def several(self, prediction: TensorType) -> int | None:
        return len(self.listed()) if len(self.listed()) > 1 else None

    def keras(self) -> dict[str, object]:
        given = self.thresholds or ()
        return {"thresholds": given[0]} if len(given) == 1 else super().keras()


def thresholds() -> tuple[float, ...] | None:
    return arg(Maybe(ListOf(Float(0, 1), least=1, single=True)), THRESHOLDS, None)


class _Count(_AtThresholds):
    """One of the four counts."""

    row: ClassVar[int]

    def result(self, t: TrainingCall, total: code.Expr, *, pooled: bool) -> code.Expr:
        return code.index(total, self.row)


@entry("metric")
class TruePositives(_Count):
    """How many numbers are predicted as 1 (above the threshold) and are 1 in the targets.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[TruePositives()]
    """

    row = 0
    thresholds = thresholds()


@entry("metric")
class FalsePositives(_Count):
    """How many numbers are predicted as 1 (above the threshold) and are 0 in the targets.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[FalsePositives()]
    """

    direction = "min"
    row = 1
    thresholds = thresholds()


@entry("metric")
class FalseNegatives(_Count):
    """How many numbers are predicted as 0 (not above the threshold) and are 1 in the targets.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[FalseNegatives()]
    """

    direction = "min"
    row = 2
    thresholds = thresholds()


@entry("metric")
class TrueNegatives(_Count):
    """How many numbers are predicted as 0 (not above the threshold) and are 0 in the targets.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[TrueNegatives()]
    """

    row = 3
    thresholds = thresholds()


class _Share(_AtThresholds):
    top_k: int | None
    rate: ClassVar[str]

    def listed(self) -> tuple[float, ...]:
        return self.thresholds or (0.5 if self.top_k is None else _LOWEST,)

    def totals(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, weight: code.Expr | None) -> code.Expr:
        if self.top_k is not None:
            prediction = code.call(t.helper("only_top_k"), prediction, self.top_k)
        return super().totals(t, prediction, target, weight)

    def result(self, t: TrainingCall, total: code.Expr, *, pooled: bool) -> code.Expr:
        return code.call(t.helper(self.rate), total)

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        last = prediction.last
        if self.top_k is not None and isinstance(last, int) and self.top_k > last:
            return f"takes the {self.top_k} largest numbers, and the output has {last}: take fewer", "top_k"
        return super().problem(prediction, sparse)


TOP_K = "Only the `k` largest numbers of a sample count as 1 (all of these, where there is no threshold)."
CLASS_ID = "Only this place of the last axis counts."


@entry("metric")
class Precision(_Share):
    """Of all numbers predicted as 1 (above the threshold), the share that is 1 in the targets; 0 where there is none.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[Precision()]
    """

    rate = "precision_of"
    thresholds = thresholds()
    top_k = arg(Maybe(Int(1)), TOP_K, None)
    class_id = arg(Maybe(Int(0)), CLASS_ID, None)


@entry("metric")
class Recall(_Share):
    """Of all numbers that are 1 in the targets, the share predicted as 1 (above the threshold); 0 where there is none.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[Recall()]
    """

    rate = "recall_of"
    thresholds = thresholds()
    top_k = arg(Maybe(Int(1)), TOP_K, None)
    class_id = arg(Maybe(Int(0)), CLASS_ID, None)


_CURVES = {"ROC": "roc_curve", "PR": "precision_recall_curve", "PRGAIN": "gain_curve"}


@entry("metric")
class AUC(Counting):
    """Area under the ROC curve, or the precision-recall curve, from `num_thresholds` thresholds at equal distances.

    Predictions are probabilities (or logits, with `from_logits`); targets are 0 and 1.

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[AUC()]
    """

    num_thresholds = arg(Int(2, MOST_THRESHOLDS), "How many thresholds the curve has.", 200)
    curve = arg(Choice("ROC", "PR", "PRGAIN"), "The curve; `PRGAIN` is that of precision and recall gain.", "ROC")
    summation_method = arg(
        Choice("interpolation", "minoring", "majoring"),
        "How the area between two thresholds is taken: between the heights at both, the lower, the higher.",
        "interpolation",
    )
    thresholds = arg(
        Maybe(ListOf(Float(0, 1))), "Thresholds in the place of `num_thresholds`; the ends are added.", None
    )
    multi_label = arg(
        Bool(),
        "Whether each place of the last axis has a curve of its own; reported is the mean of their areas.",
        False,
    )
    num_labels = arg(Maybe(Int(1)), "How many places the last axis has, with `multi_label`: the output says it.", None)
    label_weights = arg(Maybe(ListOf(Float(0), least=1)), "The weight of each place of the last axis.", None)
    from_logits = arg(Bool(), "Whether the output is the numbers before the sigmoid.", False)

    def check(self) -> None:
        if self.num_labels is not None and not self.multi_label:
            raise ConfigError(
                "`num_labels` of `AUC` is for `multi_label=true`", "num_labels", help="leave it out, or add the other"
            )

    def inner(self) -> tuple[float, ...]:
        """The thresholds without the ends, which lie a little outside of 0 and 1."""
        if self.thresholds is not None:
            return tuple(sorted(self.thresholds))
        return tuple((i + 1) / (self.num_thresholds - 1) for i in range(self.num_thresholds - 2))

    def listed(self) -> tuple[float, ...]:
        return (-1e-7, *self.inner(), 1 + 1e-7)

    def counts(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, weight: code.Expr | None) -> code.Expr:
        if self.from_logits:
            prediction = code.call("torch.sigmoid", prediction)
        if self.label_weights is not None and not self.multi_label:
            of_labels = code.method(prediction, "new_tensor", list(self.label_weights))
            weight = of_labels if weight is None else code.binary("*", weight, of_labels)
        options: dict[str, object] = {} if weight is None else {"weight": weight}
        if self.thresholds is None or evenly_spaced((0.0, *self.inner(), 1.0)):
            name, arguments = "confusion_evenly", (len(self.listed()),)
            options["outside"] = True
        else:
            name, arguments = "confusion", (list(self.listed()),)  # type: ignore[assignment]
        if self.multi_label:
            place = code.Name("i")
            column = code.Slice(None, None), place
            each = code.call(
                t.helper(name), *(code.index(x, *column) for x in (prediction, target)), *arguments, **options
            )
            count = code.call("range", code.index(code.Attr(target, "shape"), 1))
            return code.call("torch.stack", code.Comprehension(each, place, count), -1)
        return code.call(t.helper(name), prediction, target, *arguments, **options)

    def result(self, t: TrainingCall, total: code.Expr, *, pooled: bool) -> code.Expr:
        if self.curve == "PR" and self.summation_method == "interpolation":
            area: code.Expr = code.call(t.helper("precision_recall_area"), total)
        else:
            points = code.Star(code.call(t.helper(_CURVES[self.curve]), total))
            given = () if self.summation_method == "interpolation" else (self.summation_method,)
            area = code.call(t.helper("area_under"), points, *given)
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return code.method(area, "mean")
        return code.call(t.helper("label_mean"), area, list(self.label_weights))

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        last = prediction.last
        if not sparse and self.multi_label and prediction.rank != 2:
            text = f"takes one row of numbers for each sample with `multi_label=true`, and this output is {prediction}"
            return f"{text}: leave it out", "multi_label"
        if self.num_labels is not None and isinstance(last, int) and self.num_labels != last:
            return f"has `num_labels={self.num_labels}`, and the output's last axis {last}: leave it out", "num_labels"
        if self.label_weights is not None and (prediction.rank != 2 or last != len(self.label_weights)):
            text = f"has {len(self.label_weights)} `label_weights`, and this output is {prediction}"
            return f"{text}: give one for each place of the last axis of an output without others", "label_weights"
        return super().problem(prediction, sparse)
