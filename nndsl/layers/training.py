"""Bases of what training is made of: losses, metrics, callbacks, splitters (optimizers: `optimizing`).

Values, axes and names are Keras's (keras/src/losses, metrics, callbacks, version 3.15).
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack, unpack
from typing import Any, ClassVar, Literal

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.emit import Step, TorchScope
from nndsl.layers.entry import Arg, ConfigError, Entry, snake_case
from nndsl.layers.kinds import Maybe, Text
from nndsl.records import record
from nndsl.source import Span


@record
class Held:
    """A weight of the model, in Keras's layout of `shape`, and code for the tensors that hold it: several where each is
    a row of it."""

    path: str
    shape: tuple[int, ...]
    tensors: tuple[code.Expr, ...]
    steps: tuple[Step, ...]  # of the first tensor


class TrainingCall:
    """What the `torch` methods of losses, metrics and optimizers work with.

    `prediction` is the type of the output as the model predicts it. `logits` is the activation that training leaves
    out of the output ("softmax", "sigmoid", or None): a loss then gets the numbers before it. `sparse` says that the
    targets are class ids. `double`: the program computes in float64. `weights` are those that training changes.
    """

    def __init__(
        self,
        scope: TorchScope,
        prediction: TensorType,
        *,
        logits: str | None = None,
        sparse: bool = False,
        double: bool = False,
        weights: Sequence[Held] = (),
    ) -> None:
        self.scope, self.prediction, self.logits, self.sparse = scope, prediction, logits, sparse
        self.double, self.weights = double, weights

    def helper(self, name: str) -> code.Name:
        """A function or class of templates/torch/helpers/<name>.py, which the file will carry."""
        self.scope.helpers[name] = None
        return code.Name(name)

    def single(self, number: float) -> code.Expr:
        """A number that Keras holds as float32, in float64 programs too."""
        if not self.double or number == unpack("f", pack("f", number))[0]:
            return code.lift(number)
        return code.call(self.helper("as_float32"), number)

    def imported(self, line: str, name: str) -> code.Name:
        """A name of the standard library, with the line that imports it."""
        self.scope.imports.add(line)
        return code.Name(name)


class Loss(Entry):
    """Base of the losses.

    `values` is code for the loss of each sample: float [batch, …] without the output's last axis. `mean` is code for
    their mean where torch has a function for it.
    """

    sparse: ClassVar[bool] = False  # whether the targets are class ids, without the last axis
    domain: ClassVar[Literal["any", "classes", "probability"]] = "any"
    reduction: str

    @property
    def from_probabilities(self) -> bool:
        """Whether the loss takes its numbers for probabilities."""
        return self.domain != "any" and not getattr(self, "from_logits", False)

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
        keras/src/losses/loss.py, sum(loss * weight) over the number of samples that count."""
        own = self.valid(target)
        if own is not None:
            mask = own if mask is None else code.Binary("&", mask, own)
        if mask is None and weight is None and self.reduction != "sum":
            return self.mean(t, prediction, target)
        values = self.values(t, prediction, target)
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


def only_last_axis(entry: Any) -> None:
    """Keras lets a loss work along any axis; in a file the classes are the last one."""
    if entry.axis != -1:
        raise ConfigError(
            f"`axis` of `{entry.title()}` must be -1: the classes are the last axis",
            "axis",
            help="bring the classes to the end with `Permute` before the output",
            code="NN0218",
        )


class Metric(Entry):
    """Base of the metrics. What is reported is the mean over all samples of all batches, or computed from such a mean.

    `torch` is code for the numbers of a batch: float, one for each sample; or, where `counted`, one tensor of counts
    over the batch. `finish` is the function that makes the result of their mean, if that is not the result already.
    `direction` says whether more is better.
    """

    direction: ClassVar[Literal["max", "min"]] = "max"
    counted: ClassVar[bool] = False
    finish: ClassVar[str] = ""  # a path in torch, or the name of a helper
    common: ClassVar[dict[str, Arg]] = {}
    name: str | None
    written: str = ""  # the name that the file uses for it, where it is a bare one
    place: Span | None = None  # where the file names it

    @property
    def label(self) -> str:
        """The name in reports, as Keras chooses it."""
        return getattr(self, "name", None) or self.written or snake_case(type(self).__name__)

    def ranks(self, prediction: TensorType) -> bool:
        """Whether only the order of the numbers along the last axis counts, so that logits do as well."""
        return False

    def torch(self, t: TrainingCall, prediction: code.Expr, target: code.Expr) -> code.Expr:
        raise NotImplementedError

    def problem(self, prediction: TensorType, sparse: bool) -> str | None:
        """Why the metric does not fit such an output, or None. `sparse`: its targets are class ids."""
        return None


def _named() -> dict[str, Arg]:
    name = Arg(Maybe(Text()), "The name in reports.", None, ())
    name.name = "name"
    return {"name": name}


Metric.common = _named()


class Callback(Entry):
    """Base of the callbacks: what watches a monitored number after each epoch.

    `monitor` is a name of Keras's logs: `loss`, `val_loss`, `val_accuracy`, `age_loss`, …
    """

    monitor: str
    mode: str

    def torch(self, t: TrainingCall, mode: str) -> code.Expr:
        """Code for a fresh watcher: an object with `after_epoch(epoch, logs)`; `mode` is "min" or "max"."""
        raise NotImplementedError


class Splitter(Entry):
    """Base of the ways to split data for cross-validation, with scikit-learn's names and defaults."""

    n_splits: int
