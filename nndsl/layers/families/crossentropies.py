"""Cross-entropies.

From probabilities they clip to 1e-7 as keras/src/backend/tensorflow/nn.py does; from logits, and where the output is
a softmax or sigmoid that training can leave out (`passes/logits.py`), they are torch's own stable functions.
"""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.entry import arg, entry
from nndsl.layers.families.losses import reduction
from nndsl.layers.kinds import Bool, Either, Float, Int, ListOf, Maybe
from nndsl.layers.measures import Loss, along, only_last_axis
from nndsl.layers.rounding import as_float32
from nndsl.layers.training import TrainingCall

FROM_LOGITS = "Whether the output is the numbers before the softmax or sigmoid."
SMOOTHING = "How far the targets are moved towards all classes alike: 0 not at all, 1 entirely."
CLASSES = "The axis of the classes."


def _classes_second(t: TrainingCall, prediction: code.Expr, axis: int = -1) -> code.Expr:
    """torch counts classes along dim 1."""
    return prediction if axis % t.prediction.rank == 1 else code.method(prediction, "movedim", axis, 1)


def smoothed(target: code.Expr, smoothing: float) -> code.Expr:
    """Targets 0 and 1 drawn towards one half."""
    if not smoothing:
        return target
    return code.binary("+", code.binary("*", target, 1.0 - smoothing), 0.5 * smoothing)


def smoothed_classes(target: code.Expr, smoothing: float) -> code.Expr:
    """One-hot targets drawn towards all classes alike; Keras counts these along the last axis, whatever `axis` is."""
    if not smoothing:
        return target
    share = code.binary("/", smoothing, code.index(code.Attr(target, "shape"), -1))
    return code.binary("+", code.binary("*", target, 1.0 - smoothing), share)


@entry("loss", "bce", "BCE", "binary_crossentropy")
class BinaryCrossentropy(Loss):
    """For yes or no, also several independent ones: `-mean(t log(p) + (1 - t) log(1 - p))` over the last axis.

    Targets are 0 to 1, in the output's shape.

    Example:
        output spam = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy
    """

    domain = "probability"
    takes_logits = True
    from_logits = arg(Bool(), FROM_LOGITS, False)
    label_smoothing = arg(Float(0, 1), SMOOTHING, 0.0)
    axis = arg(Int(), "The axis of the mean.", -1)
    reduction = reduction()

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        target = smoothed(target, self.label_smoothing)
        if self.from_logits or t.logits:
            each = code.call("F.binary_cross_entropy_with_logits", prediction, target, reduction="none")
            return code.call("torch.mean", each, self.axis)
        return code.call(t.helper("binary_crossentropy"), prediction, target, **along(self.axis))

    def mean(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        if self.from_logits or t.logits:
            return code.call("F.binary_cross_entropy_with_logits", prediction, smoothed(target, self.label_smoothing))
        return super().mean(t, prediction, target)


@entry("loss", "categorical_crossentropy")
class CategoricalCrossentropy(Loss):
    """For classes that exclude each other, with one-hot targets: `-sum(t log(p))` over the last axis.

    Targets are in the output's shape: [batch, …, classes].

    Example:
        output label = x -> Dense(10, activation=softmax) with loss=categorical_crossentropy
    """

    domain = "classes"
    takes_logits = True
    from_logits = arg(Bool(), FROM_LOGITS, False)
    label_smoothing = arg(Float(0, 1), SMOOTHING, 0.0)
    axis = arg(Int(), CLASSES, -1)
    reduction = reduction()

    def _fused(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, **options: object) -> code.Expr:
        if self.label_smoothing and self.for_each(t.prediction.rank):
            options = {"label_smoothing": self.label_smoothing, **options}
        elif self.label_smoothing:
            target = smoothed_classes(target, self.label_smoothing)
        both = (_classes_second(t, numbers, self.axis) for numbers in (prediction, target))
        return code.call("F.cross_entropy", *both, **options)

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        if self.from_logits or t.logits:
            return self._fused(t, prediction, target, reduction="none")
        target = smoothed_classes(target, self.label_smoothing)
        return code.call(t.helper("categorical_crossentropy"), prediction, target, **along(self.axis))

    def mean(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        # Of targets in more axes than two torch takes the mean over the batch axis alone.
        if (self.from_logits or t.logits) and t.prediction.rank == 2:
            return self._fused(t, prediction, target)
        return super().mean(t, prediction, target)


@entry("loss", "sparse_categorical_crossentropy")
class SparseCategoricalCrossentropy(Loss):
    """For classes that exclude each other, with class ids 0, 1, 2, … as targets: `-log(p[target])`.

    Targets are integers [batch, …], without the output's last axis.

    Example:
        output label = x -> Dense(10, activation=softmax) with loss=sparse_categorical_crossentropy
    """

    sparse = True
    domain = "classes"
    takes_logits = True
    from_logits = arg(Bool(), FROM_LOGITS, False)
    ignore_class = arg(Maybe(Int()), "A class id whose samples do not count.", None)
    reduction = reduction()
    axis = arg(Int(), "The axis of the classes: the last.", -1)

    def check(self) -> None:
        only_last_axis(self)

    def valid(self, target: code.Expr) -> code.Expr | None:
        return None if self.ignore_class is None else code.binary("!=", target, self.ignore_class)

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        options: dict[str, object] = {}
        if self.ignore_class is not None:
            options["ignore_index"] = self.ignore_class
        return self._entropy(t, prediction, target, **options, reduction="none")

    def _entropy(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, **options: object) -> code.Expr:
        if not (self.from_logits or t.logits):
            prediction = code.call(t.helper("log_probabilities"), prediction)
        return code.call("F.cross_entropy", _classes_second(t, prediction), target, **options)

    def mean(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return self._entropy(t, prediction, target)


@entry("loss")
class BinaryFocalCrossentropy(Loss):
    """Binary cross-entropy in which what is predicted well already counts little: each term times `(1 - p_t)^gamma`.

    Example:
        output rare = x -> Dense(1, activation=sigmoid) with loss=BinaryFocalCrossentropy(gamma=2)
    """

    domain = "probability"

    @property
    def takes_logits(self) -> bool:  # type: ignore[override]
        return not self.from_logits

    apply_class_balancing = arg(Bool(), "Whether `alpha` weighs the two classes.", False)
    alpha = arg(Float(0, 1), "Weight of class 1; class 0 has `1 - alpha`.", 0.25)
    gamma = arg(Float(0), "How strongly what is predicted well is played down.", 2.0)
    from_logits = arg(Bool(), FROM_LOGITS, False)
    label_smoothing = arg(Float(0, 1), SMOOTHING, 0.0)
    axis = arg(Int(), "The axis of the mean.", -1)
    reduction = reduction()

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        target = smoothed(target, self.label_smoothing)
        options: dict[str, object] = {"gamma": self.gamma}
        if self.apply_class_balancing:
            options["alpha"] = self.alpha
        if self.from_logits or t.logits:
            options["logits"] = prediction
            softmax = t.logits == "softmax" and not self.from_logits
            prediction = (
                code.call("F.softmax", prediction, dim=-1) if softmax else code.call("torch.sigmoid", prediction)
            )
        return code.call(t.helper("binary_focal_crossentropy"), prediction, target, **options, **along(self.axis))


@entry("loss")
class CategoricalFocalCrossentropy(Loss):
    """Categorical cross-entropy in which what is predicted well already counts little: `-sum(alpha (1 - p)^gamma t
    log(p))` over the last axis, with one-hot targets.

    Example:
        output label = x -> Dense(10, activation=softmax) with loss=categorical_focal_crossentropy
    """

    domain = "classes"
    alpha = arg(Either(Float(0), ListOf(Float(0), least=1)), "Weight of all classes alike, or one of each.", 0.25)
    gamma = arg(Float(0), "How strongly what is predicted well is played down.", 2.0)
    from_logits = arg(Bool(), FROM_LOGITS, False)
    label_smoothing = arg(Float(0, 1), SMOOTHING, 0.0)
    axis = arg(Int(), CLASSES, -1)
    reduction = reduction()

    def problem(self, prediction: TensorType) -> tuple[str, str, str] | None:
        last = prediction.last
        if isinstance(self.alpha, tuple) and isinstance(last, int) and len(self.alpha) != last:
            message = f"`alpha` of `{self.title()}` has {len(self.alpha)} numbers, and the output's last axis {last}"
            return message, "alpha", "give one number for each class, or one for all"
        return super().problem(prediction)

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        if self.from_logits:
            prediction = code.call("F.softmax", prediction, dim=self.axis)
        target = smoothed_classes(target, self.label_smoothing)
        alpha: object = self.alpha
        if isinstance(alpha, tuple):
            rounded = [as_float32(number) for number in alpha]  # as Keras has them, in float64 too
            alpha = code.method(target, "new_tensor", rounded if t.prediction.dtype == "float64" else list(alpha))
        return code.call(
            t.helper("categorical_focal_crossentropy"), prediction, target, alpha, self.gamma, **along(self.axis)
        )


@entry("loss")
class CategoricalGeneralizedCrossEntropy(Loss):
    """For class ids some of which are wrong: `(1 - p[target]^q) / q`, between the cross-entropy (`q` near 0) and the
    mean absolute error (`q` near 1).

    Targets are integers [batch, …], without the output's last axis.

    Example:
        output label = x -> Dense(10, activation=softmax) with loss=CategoricalGeneralizedCrossEntropy(q=0.7)
    """

    sparse = True
    domain = "classes"
    by_name = False
    q = arg(Float(0, 1, above=True, below=True), "How little wrong targets count.", 0.5)
    reduction = reduction()

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return code.call(t.helper("generalized_crossentropy"), prediction, target, self.q)
