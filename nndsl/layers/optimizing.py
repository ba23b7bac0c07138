"""Bases of the optimizers and the schedules, and what is kept of an optimizer between two steps.

Names and their order are Keras's (keras/src/optimizers, version 3.15).
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

from nndsl import code
from nndsl.layers.entry import ConfigError, Entry
from nndsl.layers.training import TrainingCall
from nndsl.records import record


@record
class Slot:
    """A variable that Keras's optimizer keeps for a weight, under `name`.

    The emitted optimizer keeps it in the state of the weight's parameter: under Keras's name where it is a helper of
    ours, under `torch` where it is torch's own class. `start` is its value before the first step.
    """

    name: str
    torch: str = ""
    start: float = 0.0
    per_rate: bool = False  # whether torch's own class keeps it divided by minus the learning rate


Rows: TypeAlias = tuple[tuple[Slot, ...], ...]


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
    counts: ClassVar[bool] = False  # whether the state of each parameter holds the number of its steps, as `step`
    early_epsilon: ClassVar[bool] = False  # whether the hook of this name keeps a count where the class is torch's own
    common_slots: ClassVar[tuple[Slot, ...]] = ()  # what Keras keeps once, and torch with every parameter

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        """What is kept for a weight (`path` "layer/kernel", its shape in Keras's layout). Keras's variables come row by
        row; those of one row take turns, weight by weight."""
        return ()

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
