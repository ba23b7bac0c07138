"""Losses on numbers: errors, distances, hinges. Cross-entropies are in `crossentropies.py`, losses of whole batches and
of sequences in `joint_losses.py`.

Formulas: keras/src/losses/losses.py (3.15).
"""

from __future__ import annotations

from nndsl import code
from nndsl.layers.entry import ArgumentError, Binder, arg, entry
from nndsl.layers.kinds import Choice, Float, Int
from nndsl.layers.measures import Loss, along
from nndsl.layers.training import TrainingCall
from nndsl.layers.values import Option

REDUCTION = (
    "How the losses of a batch become one number: `sum_over_batch_size` and `mean` are their mean, "
    "`mean_with_sample_weight` divides by the sum of the weights instead of their number, `sum` does not divide."
)


class _Reduction(Choice):
    def convert(self, value: object, bind: Binder) -> str:
        if value is None or value == "none" or (isinstance(value, Option) and value.name == "none"):
            raise ArgumentError(
                "must make one number of the losses of a batch, and `none` leaves them as they are",
                help="training minimises one number: leave `reduction` out for the mean, or take `sum`",
            )
        return super().convert(value, bind)


def reduction() -> str:
    return arg(
        _Reduction("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"), REDUCTION, "sum_over_batch_size"
    )


class _Simple(Loss):
    """A loss whose mean torch has a function for; `function` is its path."""

    function = ""

    def options(self) -> dict[str, object]:
        return {}

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        each = code.call(self.function, prediction, target, **self.options(), reduction="none")
        return code.call("torch.mean", each, -1)

    def mean(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return code.call(self.function, prediction, target, **self.options())


class _Helper(Loss):
    """A loss whose values a helper of its own name computes."""

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return code.call(t.helper(self.spelled), prediction, target)


@entry("loss", "mse", "MSE", "mean_squared_error")
class MeanSquaredError(_Simple):
    """Mean of the squared differences: `mean((prediction - target)²)` over the last axis.

    Example:
        output y = x -> Dense(1) with loss=mse
    """

    function = "F.mse_loss"
    reduction = reduction()


@entry("loss", "mae", "MAE", "mean_absolute_error")
class MeanAbsoluteError(_Simple):
    """Mean of the absolute differences: `mean(|prediction - target|)` over the last axis.

    Example:
        output y = x -> Dense(1) with loss=mae
    """

    function = "F.l1_loss"
    reduction = reduction()


@entry("loss", "mape", "MAPE", "mean_absolute_percentage_error")
class MeanAbsolutePercentageError(_Helper):
    """Mean of the differences in percent of the target; targets nearer to 0 than 1e-7 count as 1e-7.

    Example:
        output price = x -> Dense(1) with loss=mape
    """

    reduction = reduction()


@entry("loss", "msle", "MSLE", "mean_squared_logarithmic_error")
class MeanSquaredLogarithmicError(_Helper):
    """Mean of the squared differences of `log(1 + value)`; numbers below 1e-7 count as 1e-7.

    Example:
        output visitors = x -> Dense(1, activation=relu) with loss=msle
    """

    reduction = reduction()


@entry("loss")
class Huber(_Simple):
    """Squared near 0, straight beyond `delta`: `0.5 e²` where `|e| <= delta`, else `delta (|e| - 0.5 delta)`.

    Example:
        output y = x -> Dense(1) with loss=Huber(delta=0.5)
    """

    function = "F.huber_loss"
    delta = arg(Float(0, above=True), "Where the loss turns from squared to straight.", 1.0)
    reduction = reduction()

    def options(self) -> dict[str, object]:
        return {} if self.delta == 1.0 else {"delta": self.delta}


@entry("loss", formerly=("logcosh",))
class LogCosh(_Helper):
    """Mean of `log(cosh(prediction - target))`: squared near 0, straight far away.

    Example:
        output y = x -> Dense(1) with loss=log_cosh
    """

    reduction = reduction()


@entry("loss", "kld", "KLD", "kl_divergence", formerly=("kullback_leibler_divergence",))
class KLDivergence(_Helper):
    """How far the predicted distribution is from the target's: `sum(t log(t / p))`, both clipped to 1e-7 … 1.

    Example:
        output y = x -> Dense(10, activation=softmax) with loss=kl_divergence
    """

    reduction = reduction()


@entry("loss")
class Poisson(_Helper):
    """For counts: `mean(p - t log(p + 1e-7))` over the last axis.

    Example:
        output calls = x -> Dense(1, activation=exponential) with loss=poisson
    """

    reduction = reduction()


@entry("loss", formerly=("cosine_proximity",))
class CosineSimilarity(Loss):
    """Minus the cosine of the angle between prediction and target: -1 where they point the same way.

    Example:
        output vector = x -> Dense(64) with loss=cosine_similarity
    """

    axis = arg(Int(), "The axis of the vectors.", -1)
    reduction = reduction()

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return code.Unary("-", code.call(t.helper("cosine_similarity"), prediction, target, **along(self.axis)))


@entry("loss")
class Hinge(_Helper):
    """`mean(max(1 - t p, 0))` with targets -1 and 1; a batch of 0 and 1 is read as -1 and 1.

    Example:
        output sign = x -> Dense(1, activation=tanh) with loss=hinge
    """

    reduction = reduction()


@entry("loss")
class SquaredHinge(_Helper):
    """`mean(max(1 - t p, 0)²)` with targets -1 and 1; a batch of 0 and 1 is read as -1 and 1.

    Example:
        output sign = x -> Dense(1, activation=tanh) with loss=squared_hinge
    """

    reduction = reduction()


@entry("loss")
class CategoricalHinge(_Helper):
    """`max(1 + the best wrong score - the right score, 0)` with one-hot targets.

    Example:
        output label = x -> Dense(10) with loss=categorical_hinge
    """

    reduction = reduction()
