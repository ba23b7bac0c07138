"""Bases of what is measured of an output: losses, which training minimises, and metrics, which are reported too.

Values, axes and names are Keras's (keras/src/losses, metrics, trainers/compile_utils.py, version 3.15).
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.entry import Arg, ConfigError, Entry, snake_case
from nndsl.layers.kinds import Maybe, Text
from nndsl.layers.training import TrainingCall
from nndsl.source import Span


class Loss(Entry):
    """Base of the losses.

    `values` is code for the loss of each sample: float [batch, …] without the axes that the loss runs along (`axes`:
    the last, mostly). `mean` is code for their mean where torch has a function for it.
    """

    sparse: ClassVar[bool] = False  # whether the targets are class ids, without the last axis
    domain: ClassVar[Literal["any", "classes", "probability"]] = "any"
    takes_logits: ClassVar[bool] = False  # whether Keras takes a softmax or sigmoid off an output before it computes it
    by_name: ClassVar[bool] = True  # whether Keras knows the loss by its name in snake case
    compared: ClassVar[bool] = True  # whether metrics can compare an output with the targets of this loss
    reduction: str

    @property
    def from_probabilities(self) -> bool:
        """Whether the loss takes its numbers for probabilities."""
        return self.domain != "any" and not getattr(self, "from_logits", False)

    def axes(self, rank: int) -> tuple[int, ...]:
        """The axes of an output with `rank` axes that the loss of one sample runs along."""
        return (getattr(self, "axis", -1) % rank,)

    def for_each(self, rank: int) -> bool:
        """Whether there is a loss for each place of an output, so that a mask or a weight can tell places apart."""
        return self.axes(rank) == (rank - 1,)

    def joint(self, rank: int) -> bool:
        """Whether the samples of a batch are looked at together, so that the loss is no mean over them."""
        return 0 in self.axes(rank)

    def target(self, prediction: TensorType) -> TensorType:
        """What the data must hold: class ids (int64, without the last axis), or an array like the output."""
        if not self.sparse:
            return prediction
        return TensorType(prediction.shape[:-1], "int64", batched=prediction.batched, known=prediction.known)

    def classes(self, prediction: TensorType) -> int | None:
        """How many class ids there are, where the targets are such and the output says it."""
        last = prediction.last if self.sparse and prediction.rank > 1 else None
        return last if isinstance(last, int) else None

    def problem(self, prediction: TensorType) -> tuple[str, str, str] | None:
        """Why the loss does not fit such an output: a sentence about it, the argument to be underlined or "", a remedy.
        None where it fits."""
        return axis_problem(self, prediction)

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        raise NotImplementedError

    def mean(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return code.call("torch.mean", self.values(t, prediction, target))

    def valid(self, target: code.Expr) -> code.Expr | None:
        """Which samples count, where the loss itself leaves some out."""
        return None

    def torch(
        self,
        t: TrainingCall,
        prediction: code.Expr,
        target: code.Expr,
        *,
        mask: code.Expr | None = None,
        weight: code.Expr | None = None,
    ) -> code.Expr:
        """The loss of a batch, a scalar. `mask` (bool) says which samples count, `weight` multiplies their losses: as
        keras/src/losses/loss.py, sum(loss * weight) over the number of samples that count, or over the sum of the
        weights (`mean_with_sample_weight`)."""
        own = self.valid(target)
        if own is not None:
            mask = own if mask is None else code.Binary("&", mask, own)
        if mask is None and weight is None and self.reduction != "sum":
            return self.mean(t, prediction, target)
        values = self.values(t, prediction, target)
        if weight is not None and self.reduction == "mean_with_sample_weight":
            pooled = code.call(t.helper("weighted_sum"), values, combined(weight, mask))
            return code.call(t.helper("ratio"), code.Star(pooled))
        if weight is not None:
            values = code.Binary("*", values, weight)
        if mask is None:
            return code.call("torch.sum" if self.reduction == "sum" else "torch.mean", values)
        if self.reduction == "sum":
            return code.call("torch.sum", code.call("torch.where", mask, values, 0.0))
        return code.call(t.helper("masked_mean"), values, mask)

    @property
    def spelled(self) -> str:
        """The name as most files write it: `mean_squared_error`."""
        return snake_case(type(self).__name__)


def combined(weight: code.Expr | None, mask: code.Expr | None) -> code.Expr | None:
    """What each sample counts: its weight, or nothing where the mask leaves it out."""
    if weight is None or mask is None:
        return weight if mask is None else mask
    return code.binary("*", weight, mask)


def along(axis: int) -> dict[str, object]:
    """The `dim` of a helper that works along the last axis where nothing is said."""
    return {} if axis == -1 else {"dim": axis}


def axis_problem(entry: Any, prediction: TensorType) -> tuple[str, str, str] | None:
    axis, rank = getattr(entry, "axis", None), prediction.rank
    wrong = next(
        (a for a in (axis if isinstance(axis, tuple) else (axis,)) if a is not None and not -rank <= a < rank), None
    )
    if wrong is None:
        return None
    return (
        f"`axis` of `{entry.title()}` is {wrong}, and the output has the axes 0 (the batch) to {rank - 1}",
        "axis",
        "the last axis is -1; leave `axis` out for it"
        if not isinstance(axis, tuple)
        else "leave `axis` out for all axes",
    )


def only_last_axis(entry: Any) -> None:
    """For what Keras computes along the last axis alone, though there is an argument for it."""
    if entry.axis != -1:
        raise ConfigError(
            f"`axis` of `{entry.title()}` must be -1: Keras has it for the last axis only",
            "axis",
            help="bring the classes to the end with `Permute` before the output",
            code="NN0218",
        )


Misfit: TypeAlias = str | tuple[str, str] | None


class Metric(Entry):
    """Base of the metrics.

    `torch` is what a batch adds to the numbers of an epoch: a scalar, which is a mean over its samples, or, where
    `pools` says so, a tensor with axes, which is added up over all batches. `result` makes of that what is reported.

    Most metrics are means: they say `values`, the numbers of a batch, one for each sample. Those that count (`counted`)
    say `totals`.
    """

    direction: ClassVar[Literal["max", "min"]] = "max"
    counted: ClassVar[bool] = False
    masks: ClassVar[bool] = True  # whether Keras heeds the output's mask: its means do, what counts does not
    takes_logits: ClassVar[bool] = False  # whether Keras takes a softmax or sigmoid off an output before it computes it
    function: ClassVar[str] = ""  # its name in tf.keras, where that has a function for it and no class
    keras_name: ClassVar[str] = ""  # the name that Keras gives it, where that is not its class's in snake case
    common: ClassVar[dict[str, Arg]] = {}
    name: str | None
    written: str = ""  # the name that the file uses for it, where it is a bare one
    place: Span | None = None  # where the file names it
    weighted: bool = False  # whether it stands in `weighted_metrics`: the weights of the samples count
    twin: bool = False  # whether `metrics` has one of its name, so that Keras calls it `weighted_…`

    @property
    def own_name(self) -> str:
        return getattr(self, "name", None) or self.written or self.keras_name or snake_case(type(self).__name__)

    @property
    def label(self) -> str:
        """The name in reports, as Keras chooses it."""
        return f"weighted_{self.own_name}" if self.twin else self.own_name

    def several(self, prediction: TensorType) -> int | None:
        """How many numbers it reports, or None for the usual one."""
        return None

    def labels(self, prediction: TensorType) -> tuple[str, ...]:
        """The names of all numbers that it reports."""
        count = self.several(prediction)
        return (self.label,) if count is None else tuple(f"{self.label}_{number}" for number in range(count))

    def ranks(self, prediction: TensorType) -> bool:
        """Whether only the order of the numbers along the last axis counts, so that logits do as well."""
        return False

    def values(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        raise NotImplementedError

    def mean(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        return _mean(self.values(t, prediction, target))

    def valid(self, target: code.Expr) -> code.Expr | None:
        """Which samples count, where the metric leaves some out once samples have weights or a mask."""
        return None

    def totals(self, t: TrainingCall, prediction: code.Expr, target: code.Expr, weight: code.Expr | None) -> code.Expr:
        raise NotImplementedError

    @property
    def joint(self) -> bool:
        """Whether the samples of a batch are looked at together."""
        return getattr(self, "axis", -1) == 0

    def pools(self, *, mask: bool, weight: bool) -> bool:
        """Whether what a batch adds are totals."""
        return self.counted or weight or (mask and self.masks) or self.joint

    def torch(
        self,
        t: TrainingCall,
        prediction: code.Expr,
        target: code.Expr,
        *,
        mask: code.Expr | None = None,
        weight: code.Expr | None = None,
    ) -> code.Expr:
        if self.counted:
            return self.totals(t, prediction, target, weight)
        factor = combined(weight, mask if self.masks else None)
        if factor is not None:
            factor = combined(factor, self.valid(target))
        if self.pools(mask=mask is not None, weight=weight is not None):
            values = self.values(t, prediction, target)
            return code.call(t.helper("weighted_sum"), values, *([] if factor is None else [factor]))
        return self.mean(t, prediction, target)

    def result(self, t: TrainingCall, total: code.Expr, *, pooled: bool) -> code.Expr:
        """What is reported, of the mean over all samples, or of the totals: float64 on the CPU."""
        return code.call(t.helper("ratio"), code.Star(total)) if pooled else total

    def problem(self, prediction: TensorType, sparse: bool) -> Misfit:
        """Why the metric does not fit such an output (a predicate, ": " and what to do, if there is more to say than
        which metrics fit), with the argument that is to blame, if one is. `sparse`: its targets are class ids."""
        return None

    def keras(self) -> dict[str, object]:
        """The arguments that Keras wants in another form."""
        return {}


def _mean(numbers: code.Expr) -> code.Expr:
    """`(prediction == target).float().mean()`, or torch.mean(…) of what is no such chain."""
    if isinstance(numbers, code.Call) and isinstance(numbers.func, code.Attr) and not numbers.args + numbers.kwargs:
        return code.method(numbers, "mean")
    return code.call("torch.mean", numbers)


def as_numbers(t: TrainingCall, condition: code.Expr) -> code.Expr:
    """1.0 where the condition holds, else 0.0."""
    return code.method(condition, "double" if t.prediction.dtype == "float64" else "float")


def _named() -> dict[str, Arg]:
    name = Arg(Maybe(Text()), "The name in reports.", None, ())
    name.name = "name"
    return {"name": name}


Metric.common = _named()
