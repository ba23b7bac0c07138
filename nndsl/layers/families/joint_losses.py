"""Losses that do not look at each number by itself: overlaps of whole areas, distances between the samples of a batch,
sequences whose places are not known.

Formulas: keras/src/losses/losses.py (3.15), ctc_loss in keras/src/backend/tensorflow/nn.py.
"""

from __future__ import annotations

from functools import cached_property

from nndsl import code
from nndsl.ir.dims import Dim, fresh
from nndsl.ir.types import TensorType
from nndsl.layers.entry import arg, entry
from nndsl.layers.families.losses import reduction
from nndsl.layers.kinds import Bool, Either, Float, Int, ListOf, Maybe
from nndsl.layers.measures import Loss
from nndsl.layers.training import TrainingCall


class _Overlap(Loss):
    """A loss of sums along some axes, the batch axis included where nothing is said."""

    domain = "probability"
    axis: int | tuple[int, ...] | None

    def axes(self, rank: int) -> tuple[int, ...]:
        if self.axis is None:
            return tuple(range(rank))
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return tuple(sorted(axis % rank for axis in axes))

    def options(self) -> dict[str, object]:
        return {}

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        options = self.options()
        if self.axis is not None:
            options["dim"] = self.axis
        return code.call(t.helper(self.spelled), prediction, target, **options)

    def mean(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        values = self.values(t, prediction, target)
        return values if len(self.axes(t.prediction.rank)) == t.prediction.rank else code.call("torch.mean", values)


AXES = "The axes of the sums; all of them, the batch's too, where nothing is said: one loss for the whole batch."


@entry("loss")
class Dice(_Overlap):
    """For areas, as in segmentation: 1 minus twice the overlap over the size of both, `1 - 2 sum(t p) / (sum(t) +
    sum(p))`.

    Targets are 0 to 1, in the output's shape.

    Example:
        input image: float[32, 32, 3]
        output area = image -> Conv2D(1, 3, padding=same, activation=sigmoid) with loss=dice
    """

    reduction = reduction()
    axis = arg(Maybe(Either(Int(), ListOf(Int(), least=1))), AXES, None)


@entry("loss")
class Tversky(_Overlap):
    """`Dice` with weights for what is missed and what is too much: `1 - o / (o + alpha sum(t (1 - p)) + beta sum(p (1 -
    t)))` with the overlap `o = sum(t p)`. As in Keras `alpha` weighs what is missed.

    Example:
        input image: float[32, 32, 3]
        output area = image -> Conv2D(1, 3, padding=same, activation=sigmoid) with loss=Tversky(alpha=0.7, beta=0.3)
    """

    alpha = arg(Float(0), "Weight of what is 1 in the targets and was not predicted.", 0.5)
    beta = arg(Float(0), "Weight of what was predicted and is 0 in the targets.", 0.5)
    reduction = reduction()
    axis = arg(Maybe(Either(Int(), ListOf(Int(), least=1))), AXES, None)

    def options(self) -> dict[str, object]:
        return {name: value for name in ("alpha", "beta") if (value := getattr(self, name)) != 0.5}


@entry("loss")
class Circle(Loss):
    """For embeddings (Sun et al., 2020): vectors of one class are drawn together, those of different classes apart,
    each pair the more the worse it lies. The distance of two vectors is 1 minus their product, so they shall have
    length 1 (`UnitNormalization`).

    Every sample of a batch is compared with all of it. Targets are the ids of the classes, any integers [batch].

    Example:
        output vector = x -> Dense(16) -> UnitNormalization() with loss=circle
    """

    sparse = True
    gamma = arg(Float(), "How strongly large differences count.", 80.0)
    margin = arg(Float(), "How near is near enough, and how far is far enough.", 0.4)
    remove_diagonal = arg(Bool(), "Whether a sample is not compared with itself.", True)
    reduction = reduction()

    def for_each(self, rank: int) -> bool:
        return False

    def joint(self, rank: int) -> bool:
        return True

    def classes(self, prediction: TensorType) -> int | None:
        return None

    def problem(self, prediction: TensorType) -> tuple[str, str, str] | None:
        if prediction.rank == 2:
            return None
        return (
            f"`circle` compares one vector for each sample, and the output is {prediction}",
            "",
            "end with `Flatten()` and `Dense(16)`, or a `GlobalAveragePooling` layer",
        )

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        defaults = {"gamma": 80.0, "margin": 0.4, "remove_diagonal": True}
        options = {name: getattr(self, name) for name, value in defaults.items() if getattr(self, name) != value}
        return code.call(t.helper("circle"), prediction, target, **options)

    def mean(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return code.call(t.helper("mean_of_positive"), self.values(t, prediction, target))


@entry("loss")
class CTC(Loss):
    """For sequences whose places in the input are not known, as in speech and handwriting (Graves et al., 2006): minus
    the logarithm of the probability of the target, over all ways to write it into the output's steps.

    The output is numbers for each step and class before the softmax, [steps, classes]; class 0 is the blank between
    letters. Targets are class ids from 1, [letters], filled up with 0; a target must fit into the steps, with a blank
    between two equal letters. TensorFlow computes it in float32 alone.

    Example:
        input sound: float[T, 12]
        output text = sound -> LSTM(32, return_sequences=true) -> Dense(28) with loss=ctc
    """

    sparse = True
    compared = False
    reduction = reduction()

    def axes(self, rank: int) -> tuple[int, ...]:
        return tuple(range(1, rank))

    @cached_property
    def letters(self) -> Dim:
        """The length of the targets, which the data says."""
        return fresh("letters")

    def target(self, prediction: TensorType) -> TensorType:
        return TensorType((prediction.shape[0], self.letters), "int64", known=prediction.known)

    def problem(self, prediction: TensorType) -> tuple[str, str, str] | None:
        if prediction.rank == 3:
            return None
        return (
            f"`ctc` needs numbers for each step and class, and the output is {prediction}",
            "",
            "end with the axes [steps, classes]: a recurrent layer with `return_sequences=true`, then `Dense(classes)`",
        )

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return code.call(t.helper("ctc"), prediction, target)
