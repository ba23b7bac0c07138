"""Bases of what training is made of: optimizers, schedules, callbacks, splitters.

Losses and metrics have theirs in `measures.py`. Values, axes and names are Keras's (keras/src/optimizers, callbacks,
version 3.15).
"""

from __future__ import annotations

from typing import Any

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.emit import TorchScope
from nndsl.layers.entry import ConfigError, Entry


class TrainingCall:
    """What the `torch` methods of losses, metrics and optimizers work with.

    `prediction` is the type of the output as the model predicts it. `logits` is the activation that training leaves
    out of the output ("softmax", "sigmoid", or None): a loss then gets the numbers before it. `sparse` says that the
    targets are class ids.
    """

    def __init__(
        self, scope: TorchScope, prediction: TensorType, *, logits: str | None = None, sparse: bool = False
    ) -> None:
        self.scope, self.prediction, self.logits, self.sparse = scope, prediction, logits, sparse

    def helper(self, name: str) -> code.Name:
        """A function or class of templates/torch/helpers/<name>.py, which the file will carry."""
        self.scope.helpers[name] = None
        return code.Name(name)

    def imported(self, line: str, name: str) -> code.Name:
        """A name of the standard library, with the line that imports it."""
        self.scope.imports.add(line)
        return code.Name(name)


class Optimizer(Entry):
    """Base of the optimizers. `torch` is code for the torch optimizer over `parameters`, which hooks may precede."""

    learning_rate: Any
    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None

    def check(self) -> None:
        given = [n for n in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, n)]
        if len(given) > 1:
            raise ConfigError(
                f"`{type(self).__name__}` clips in one way only: "
                f"{' and '.join(f'`{name}`' for name in given)} exclude each other",
                *given,
                help=f"keep `{given[0]}` or `{given[1]}`",
            )

    @property
    def schedule(self) -> Any:
        """The schedule of the learning rate, or None where it is a number."""
        return self.learning_rate if isinstance(self.learning_rate, Schedule) else None

    @property
    def first_rate(self) -> float:
        """The learning rate of the first step."""
        rate: float = self.schedule.first if self.schedule else self.learning_rate
        return rate

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        """`constant`: nothing changes the learning rate while training runs."""
        raise NotImplementedError

    decays: bool = False  # whether the code of `torch` does the weight decay

    def hooks(self, t: TrainingCall) -> list[code.Expr]:
        """What runs before each step, in order: functions of the optimizer."""
        result: list[code.Expr] = []
        if self.schedule is not None:
            result.append(code.call(t.helper("scheduled"), code.Name("learning_rate")))
        if self.clipnorm:
            result.append(code.call(t.helper("clip_norm"), self.clipnorm))
        elif self.global_clipnorm:
            clipped = code.call(t.helper("clip_global_norm"), code.Name("model"), self.global_clipnorm)
            result.append(code.Lambda("*_", clipped))
        elif self.clipvalue:
            parameters = code.call("model.parameters")
            result.append(code.Lambda("*_", code.call("nn.utils.clip_grad_value_", parameters, self.clipvalue)))
        if self.weight_decay and not self.decays:
            result.append(code.call(t.helper("decay_weights"), self.weight_decay))
        return result

    @classmethod
    def advice(cls, argument: str) -> str | None:
        if argument == "decay":
            schedule = "InverseTimeDecay(0.01, decay_steps=1, decay_rate=…)"
            return f"`decay` is gone since Keras 3: write `learning_rate={schedule}`"
        if argument in ("use_ema", "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor"):
            return f"nndsl does not have `{argument}` yet: leave it out"
        if argument == "gradient_accumulation_steps":
            return "nndsl does not gather gradients over batches yet: take a larger `batch_size`"
        return None


class Schedule(Entry):
    """Base of the learning rate schedules: the rate of a step, counted from 0, one per batch."""

    @property
    def first(self) -> float:
        raise NotImplementedError

    def body(self, t: TrainingCall, step: code.Expr) -> list[code.Stmt]:
        """The body of `learning_rate(step)`."""
        raise NotImplementedError


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
