"""Losses reported as metrics: their means over all samples, whatever the output is trained with.

Definitions: keras/src/metrics (3.15). What Keras has as a function alone (`huber`, `log_cosh`, the focal losses) is a
metric here too: a file gives all of them by their names.
"""

from __future__ import annotations

from typing import ClassVar

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.build import default_of
from nndsl.layers.entry import arg, entry
from nndsl.layers.families import crossentropies, losses
from nndsl.layers.families.crossentropies import CLASSES, FROM_LOGITS, SMOOTHING
from nndsl.layers.kinds import Bool, Either, Float, Int, ListOf, Maybe
from nndsl.layers.measures import Loss, Metric, Misfit, only_last_axis
from nndsl.layers.training import TrainingCall


class LossMetric(Metric):
    """A metric whose numbers are the values of a loss."""

    direction = "min"
    measured: ClassVar[type[Loss]]

    def as_loss(self) -> Loss:
        """The loss with the same arguments."""
        return self.measured({name: getattr(self, name) for name in self.arguments}, default_of)

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return self.as_loss().values(t, prediction, target)

    def mean(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        loss = self.as_loss()
        return loss.mean(t, prediction, target) if loss.valid(target) is None else super().mean(t, prediction, target)

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        loss = self.as_loss()
        if sparse and not loss.sparse:
            return "compares with targets of the output's shape, and those of this output are class ids"
        if loss.sparse and not sparse:
            return "takes class ids, and the targets of this output have its own shape: leave `sparse_` out"
        if loss.domain == "classes" and prediction.last == 1:
            return "compares classes, and this output has one number for each sample"
        wrong = loss.problem(prediction)
        return None if wrong is None else (f"does not fit, since {wrong[0]}: {wrong[2]}", wrong[1])


@entry("metric", "bce", "BCE")
class BinaryCrossentropy(LossMetric):
    """Mean of the binary cross-entropy of probabilities (or of logits, with `from_logits`).

    Example:
        output ill = x -> Dense(1, activation=sigmoid) with loss=mse, metrics=[binary_crossentropy]
    """

    measured = crossentropies.BinaryCrossentropy
    takes_logits = True
    from_logits = arg(Bool(), FROM_LOGITS, False)
    label_smoothing = arg(Float(0, 1), SMOOTHING, 0)


@entry("metric")
class CategoricalCrossentropy(LossMetric):
    """Mean of the cross-entropy of one-hot targets.

    Example:
        output label = x -> Dense(10, activation=softmax)
            with loss=CategoricalCrossentropy(label_smoothing=0.1), metrics=[categorical_crossentropy]
    """

    measured = crossentropies.CategoricalCrossentropy
    takes_logits = True
    from_logits = arg(Bool(), FROM_LOGITS, False)
    label_smoothing = arg(Float(0, 1), SMOOTHING, 0)
    axis = arg(Int(), CLASSES, -1)


@entry("metric")
class SparseCategoricalCrossentropy(LossMetric):
    """Mean of the cross-entropy of class ids. Samples of `ignore_class` count as 0; where samples have weights or a
    mask, not at all.

    Example:
        output label = x -> Dense(10, activation=softmax)
            with loss=sparse_categorical_crossentropy, metrics=[SparseCategoricalCrossentropy(name=entropy)]
    """

    measured = crossentropies.SparseCategoricalCrossentropy
    takes_logits = True
    from_logits = arg(Bool(), FROM_LOGITS, False)
    ignore_class = arg(Maybe(Int()), "A class id whose cross-entropy is 0.", None)
    axis = arg(Int(), "The axis of the classes: the last.", -1)

    def check(self) -> None:
        only_last_axis(self)

    def valid(self, target: code.Expr) -> code.Expr | None:
        return self.as_loss().valid(target)


@entry("metric")
class KLDivergence(LossMetric):
    """Mean of how far the predicted distribution is from the target's.

    Example:
        output y = x -> Dense(10, activation=softmax) with loss=categorical_crossentropy, metrics=[kl_divergence]
    """

    measured = losses.KLDivergence


@entry("metric")
class Poisson(LossMetric):
    """Mean of the Poisson loss, `p - t log(p + 1e-7)`.

    Example:
        output calls = x -> Dense(1, activation=exponential) with loss=mse, metrics=[poisson]
    """

    measured = losses.Poisson


@entry("metric")
class Hinge(LossMetric):
    """Mean of `max(1 - t p, 0)` with targets -1 and 1; a batch of 0 and 1 is read as -1 and 1.

    Example:
        output sign = x -> Dense(1, activation=tanh) with loss=mse, metrics=[hinge]
    """

    measured = losses.Hinge


@entry("metric")
class SquaredHinge(LossMetric):
    """Mean of `max(1 - t p, 0)²` with targets -1 and 1; a batch of 0 and 1 is read as -1 and 1.

    Example:
        output sign = x -> Dense(1, activation=tanh) with loss=hinge, metrics=[squared_hinge]
    """

    measured = losses.SquaredHinge


@entry("metric")
class CategoricalHinge(LossMetric):
    """Mean of `max(1 + the best wrong score - the right score, 0)` with one-hot targets.

    Example:
        output label = x -> Dense(10) with loss=mse, metrics=[categorical_hinge]
    """

    measured = losses.CategoricalHinge


@entry("metric")
class huber(LossMetric):
    """Mean of the Huber loss: squared near 0, straight beyond `delta`.

    Example:
        output y = x -> Dense(1) with loss=mse, metrics=[huber, huber(delta=0.5, name=narrow)]
    """

    function = "huber"
    measured = losses.Huber
    delta = arg(Float(0, above=True), "Where it turns from squared to straight.", 1.0)


@entry("metric")
class log_cosh(LossMetric):
    """Mean of `log(cosh(prediction - target))`.

    Example:
        output y = x -> Dense(1) with loss=mse, metrics=[log_cosh]
    """

    function = "logcosh"
    measured = losses.LogCosh


@entry("metric")
class binary_focal_crossentropy(LossMetric):
    """Mean of the binary focal cross-entropy.

    Example:
        output rare = x -> Dense(1, activation=sigmoid) with loss=bce, metrics=[binary_focal_crossentropy]
    """

    function = "binary_focal_crossentropy"
    measured = crossentropies.BinaryFocalCrossentropy

    @property
    def takes_logits(self) -> bool:  # type: ignore[override]
        return not self.from_logits

    apply_class_balancing = arg(Bool(), "Whether `alpha` weighs the two classes.", False)
    alpha = arg(Float(0, 1), "Weight of class 1; class 0 has `1 - alpha`.", 0.25)
    gamma = arg(Float(0), "How strongly what is predicted well is played down.", 2.0)
    from_logits = arg(Bool(), FROM_LOGITS, False)
    label_smoothing = arg(Float(0, 1), SMOOTHING, 0.0)
    axis = arg(Int(), "The axis of the mean.", -1)


@entry("metric")
class categorical_focal_crossentropy(LossMetric):
    """Mean of the categorical focal cross-entropy.

    Example:
        output label = x -> Dense(10, activation=softmax)
            with loss=categorical_crossentropy, metrics=[categorical_focal_crossentropy]
    """

    function = "categorical_focal_crossentropy"
    measured = crossentropies.CategoricalFocalCrossentropy
    alpha = arg(Either(Float(0), ListOf(Float(0), least=1)), "Weight of all classes alike, or one of each.", 0.25)
    gamma = arg(Float(0), "How strongly what is predicted well is played down.", 2.0)
    from_logits = arg(Bool(), FROM_LOGITS, False)
    label_smoothing = arg(Float(0, 1), SMOOTHING, 0.0)
    axis = arg(Int(), CLASSES, -1)
