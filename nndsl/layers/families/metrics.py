"""Metrics of numbers: errors, angles, correlations. What is reported of an output beside its loss, gathered over all
batches of an epoch.

Definitions: keras/src/metrics (3.15).
"""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.entry import ConfigError, arg, entry, snake_case
from nndsl.layers.kinds import Choice, Int, Maybe
from nndsl.layers.measures import Metric, Misfit, along, axis_problem
from nndsl.layers.training import TrainingCall

ONE_ROW = "leave it out, or make the output one row with `Flatten()`"


class Computed(Metric):
    """A metric whose numbers a helper of its own name computes."""

    helper = ""

    def options(self) -> dict[str, object]:
        return {}

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        function = t.helper(self.helper or snake_case(type(self).__name__))
        return code.call(function, prediction, target, **self.options())


class Numbers(Computed):
    """A metric that compares numbers: the targets have the output's shape."""

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        return "compares numbers, and the targets of this output are class ids" if sparse else None


class Along(Numbers):
    """A metric of vectors along an axis."""

    axis: int

    def options(self) -> dict[str, object]:
        return along(self.axis)

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        if axis_problem(self, prediction) is not None:
            text = f"has an axis {self.axis}, and the output has the axes 0 (the batch) to {prediction.rank - 1}"
            return f"{text}: leave `axis` out for the last", "axis"
        return super().problem(prediction, sparse)


@entry("metric", "mse", "MSE")
class MeanSquaredError(Numbers):
    """Mean of the squared differences.

    Example:
        output y = x -> Dense(1) with loss=mae, metrics=[mse]
    """

    direction = "min"
    helper = "squared_error"


@entry("metric", "mae", "MAE")
class MeanAbsoluteError(Numbers):
    """Mean of the absolute differences.

    Example:
        output y = x -> Dense(1) with loss=mse, metrics=[mae]
    """

    direction = "min"
    helper = "absolute_error"


@entry("metric", "mape", "MAPE")
class MeanAbsolutePercentageError(Numbers):
    """Mean of the differences in percent of the target.

    Example:
        output price = x -> Dense(1) with loss=mse, metrics=[mape]
    """

    direction = "min"


@entry("metric", "msle", "MSLE")
class MeanSquaredLogarithmicError(Numbers):
    """Mean of the squared differences of `log(1 + value)`.

    Example:
        output visitors = x -> Dense(1, activation=relu) with loss=mse, metrics=[msle]
    """

    direction = "min"


@entry("metric")
class RootMeanSquaredError(Numbers):
    """Root of the mean of the squared differences, over all batches together.

    Example:
        output y = x -> Dense(1) with loss=mse, metrics=[RootMeanSquaredError()]
    """

    direction = "min"
    helper = "squared_error"
    masks = False

    def result(self, t: TrainingCall, total: code.Expr, *, pooled: bool) -> code.Expr:
        return code.call("torch.sqrt", super().result(t, total, pooled=pooled))


@entry("metric")
class CosineSimilarity(Along):
    """Mean cosine of the angle between prediction and target: 1 where they point the same way.

    Example:
        output vector = x -> Dense(64) with loss=cosine_similarity, metrics=[cosine_similarity]
    """

    axis = arg(Int(), "The axis of the vectors.", -1)


@entry("metric")
class LogCoshError(Numbers):
    """Mean of `log(cosh(prediction - target))`; Keras reports it as `logcosh`, unless it is given by its name.

    Example:
        output y = x -> Dense(1) with loss=mse, metrics=[LogCoshError()]
    """

    direction = "min"
    helper = "log_cosh"
    keras_name = "logcosh"


class _Correlation(Along):
    axis: int

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        if not sparse and prediction.rank > 1 and prediction.shape[self.axis % prediction.rank :][:1] == (1,):
            return "correlates numbers along the last axis, and here it has only one: `axis=0` takes those of a batch"
        return super().problem(prediction, sparse)


@entry("metric")
class PearsonCorrelation(_Correlation):
    """Mean over all samples of the correlation (Pearson's r) between the numbers of a prediction and those of its
    target: from -1 to 1.

    With `axis=0` the numbers of a batch are correlated, and the mean is over the batches.

    Example:
        output curve = x -> Dense(24) with loss=mse, metrics=[pearson_correlation]
    """

    axis = arg(Int(), "The axis along which numbers are correlated.", -1)


@entry("metric")
class ConcordanceCorrelation(_Correlation):
    """Mean over all samples of how well a prediction and its target agree (Lin's concordance correlation): 1 where they
    are equal, less where they only lie on a line.

    With `axis=0` the numbers of a batch are compared, and the mean is over the batches.

    Example:
        output curve = x -> Dense(24) with loss=mse, metrics=[concordance_correlation]
    """

    axis = arg(Int(), "The axis along which numbers are compared.", -1)


@entry("metric")
class R2Score(Numbers):
    """The share of the targets' variance that is predicted (R²), over all batches together: 1 is perfect, 0 no better
    than their mean.

    Example:
        output y = x -> Dense(3) with loss=mse, metrics=[R2Score()]
    """

    counted = True
    class_aggregation = arg(
        Maybe(Choice("uniform_average", "variance_weighted_average")),
        "How the scores of several numbers become one: their mean, or weighted by the variance of the targets; `none` "
        "reports each.",
        "uniform_average",
    )
    num_regressors = arg(Int(0), "How many inputs the score is adjusted for: only 0, since Keras fails with others.", 0)

    def check(self) -> None:
        if self.num_regressors:
            raise ConfigError(
                "`num_regressors` of `R2Score` must be 0: `fit` and `evaluate` of Keras 3.15 fail with any other",
                "num_regressors",
                help="adjust the result yourself: `1 - (1 - r2) * (n - 1) / (n - p - 1)` for n numbers and p inputs",
                code="NN0218",
            )

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        if not sparse and (prediction.rank != 2 or not isinstance(prediction.last, int)):
            return f"takes one row of numbers for each sample, and this output is {prediction}: {ONE_ROW}"
        return super().problem(prediction, sparse)

    def several(self, prediction: TensorType) -> int | None:
        last = prediction.last
        return last if self.class_aggregation is None and isinstance(last, int) else None

    def totals(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, weight: code.Expr | None) -> code.Expr:
        options = {} if weight is None else {"weight": weight}
        return code.call(t.helper("r2_sums"), prediction, target, **options)

    def result(self, t: TrainingCall, total: code.Expr, *, pooled: bool) -> code.Expr:
        given = () if self.class_aggregation == "uniform_average" else (self.class_aggregation,)
        return code.call(t.helper("r2_score"), total, *given)
