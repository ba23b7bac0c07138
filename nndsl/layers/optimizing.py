"""Bases of the optimizers and the schedules, and what is kept of an optimizer between two steps.

Names and their order are Keras's (keras/src/optimizers, version 3.15).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

from nndsl import code
from nndsl.layers.emit import keras_view
from nndsl.layers.entry import Arg, Args, ConfigError, Entry, arg
from nndsl.layers.kinds import Bool, Either, Float, Int, Maybe, Of, Text
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
    group: str = ""  # the list in the param group that keeps it, where a hook does
    weight: bool = False  # it starts as the weight itself
    without: int = 0  # the axis of Keras's layout (-1 or -2) that it is reduced over
    derived: bool = False  # not kept, but computed of others by `Optimizer.derived`


Rows: TypeAlias = tuple[tuple[Slot, ...], ...]


def rate(default: float) -> Any:
    kind = Either(Float(0, above=True), Of("schedule"))
    return arg(kind, "How far a step goes: a number, or a schedule.", default, formerly=("lr",))


def decay(default: float | None = None, *, needed: bool = False) -> float | None:
    text = "Share of each weight, times the learning rate, that every step takes away (decoupled, on all weights)."
    return arg(Float(0), text, default) if needed else arg(Maybe(Float(0)), text, default)


SHARED = Args(
    clipnorm=arg(
        Maybe(Float(0, above=True)), "Longest gradient of each weight: longer ones are shortened to it.", None
    ),
    clipvalue=arg(Maybe(Float(0, above=True)), "Largest absolute value in any gradient.", None),
    global_clipnorm=arg(Maybe(Float(0, above=True)), "Longest gradient of all weights together.", None),
    use_ema=arg(Bool(), "Whether a running mean of each weight is kept, which the weights become in the end.", False),
    ema_momentum=arg(Float(0, 1), "How much of the running mean of a weight every step keeps.", 0.99),
    ema_overwrite_frequency=arg(
        Maybe(Int(1)),
        "After how many steps the weights become their means, again and again; `none`: in the end only.",
        None,
    ),
    gradient_accumulation_steps=arg(
        Maybe(Int(2)), "From how many batches the gradients of one step are gathered: it takes their mean.", None
    ),
)


class Optimizer(Entry):
    """Base of the optimizers. `torch` is code for the torch optimizer over `parameters`, which hooks may precede."""

    learning_rate: Any
    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    gradient_accumulation_steps: int | None

    common: ClassVar[dict[str, Arg]] = {}
    counts: ClassVar[bool] = False  # whether the state of each parameter holds the number of its steps, as `step`
    starts_from_weights: bool = False  # whether something that it keeps does
    common_slots: ClassVar[tuple[Slot, ...]] = ()  # what Keras keeps once, and torch with every parameter

    def check(self) -> None:
        given = [n for n in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, n)]
        if len(given) > 1:
            raise ConfigError(
                f"`{type(self).__name__}` clips in one way only: "
                f"{' and '.join(f'`{name}`' for name in given)} exclude each other",
                *given,
                help=f"keep `{given[0]}` or `{given[1]}`",
            )
        averaging = [name for name in ("ema_momentum", "ema_overwrite_frequency") if name in self.given]
        if averaging and not self.use_ema:
            raise ConfigError(
                f"`{averaging[0]}` of `{type(self).__name__}` says how weights are averaged, and they are not",
                averaging[0],
                help=f"write `use_ema=true` too, or leave `{averaging[0]}` out",
            )

    @property
    def linear(self) -> bool:
        """Whether the step of a sum of gradients is the sum of their steps. Others must not take the gradient of an
        embedding apart, as Keras on TensorFlow has it: one for each occurrence of an id."""
        return False

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

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        """What is kept for a weight (`path` "layer/kernel", its shape in Keras's layout). Keras's variables come row by
        row; those of one row take turns, weight by weight."""
        return ()

    def derived(self, kept: Mapping[str, Any]) -> Mapping[str, Any]:
        """Slots that are not kept, of arrays of those that are."""
        return {}

    def all_slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        """`slots` with those of hooks, which come first."""
        average, gathered = Slot("average", group="averages"), Slot("gradient_accumulator", group="gathered")
        rows = ((average,),) * self.use_ema + ((gathered,),) * (self.gradient_accumulation_steps is not None)
        return rows + self.slots(path, shape)

    def decays(self, t: TrainingCall) -> bool:
        """Whether the code of `torch` does the weight decay."""
        return False

    def hooks(self, t: TrainingCall, parameters: code.Expr, rate: str) -> list[code.Expr]:
        """What runs before each step, in order: functions of the optimizer. `parameters` is code for those that it
        changes, `rate` the name of its schedule's function."""
        result: list[code.Expr] = []
        if self.schedule is not None:
            result.append(code.call(t.helper("scheduled"), code.Name(rate)))
        if self.gradient_accumulation_steps:
            result.append(code.call(t.helper("gather_gradients"), self.gradient_accumulation_steps))
        if self.clipnorm:
            result.append(code.call(t.helper("clip_norm"), self.clipnorm, *joint_weights(t)))
        elif self.global_clipnorm:
            clipped = code.call(t.helper("clip_global_norm"), parameters, self.global_clipnorm)
            result.append(code.Lambda("*_", clipped))
        elif self.clipvalue and self.gradient_accumulation_steps:  # torch's function wants gradients
            result.append(code.call(t.helper("clip_values"), self.clipvalue))
        elif self.clipvalue:
            result.append(code.Lambda("*_", code.call("nn.utils.clip_grad_value_", parameters, self.clipvalue)))
        if self.weight_decay and not self.decays(t):
            result.append(code.call(t.helper("decay_weights"), t.single(self.weight_decay)))
        return result

    def after_hooks(self, t: TrainingCall) -> list[code.Expr]:
        """What runs behind each step, before constraints."""
        if not self.use_ema:
            return []
        options: dict[str, object] = {}
        if self.ema_overwrite_frequency:
            options["every"] = self.ema_overwrite_frequency
        if self.gradient_accumulation_steps:
            options["batches"] = self.gradient_accumulation_steps
        return [code.call(t.helper("average_weights"), self.ema_momentum, **options)]

    @classmethod
    def advice(cls, argument: str) -> str | None:
        if argument == "decay":
            schedule = "InverseTimeDecay(0.01, decay_steps=1, decay_rate=…)"
            return f"`decay` is gone since Keras 3: write `learning_rate={schedule}`"
        if argument == "loss_scale_factor":
            return "gradients of float32 and float64 need no scaling, and nndsl trains in nothing else: leave it out"
        return None


def _named() -> dict[str, Arg]:
    name = Arg(Maybe(Text()), "A name of the optimizer; it changes nothing.", None, ())
    name.name = "name"
    return {"name": name}


Optimizer.common = _named()


def joint_weights(t: TrainingCall) -> list[code.Expr]:
    """The tensors that hold one weight of Keras's together (the two biases of a GRU)."""
    return [code.Tuple(held.tensors) for held in t.weights if len(held.tensors) > 1]


def unusual_views(t: TrainingCall) -> code.List:
    """Code for the views in Keras's layout of the tensors that are not as Linear and Conv have theirs (see the helper
    WholeWeights): `[(model.embedding.weight, lambda w: w)]`."""
    views: list[code.Expr] = []
    for held in t.weights:
        order = tuple(range(len(held.shape)))
        for kind, numbers in held.steps:
            if kind == "permute":
                order = tuple(order[axis] for axis in numbers)
        usual = len(order) < 2 or order == (len(order) - 1, len(order) - 2, *range(len(order) - 2))
        reshaped = any(kind == "reshape" for kind, _ in held.steps)
        if len(held.tensors) == 1 and (reshaped or not usual):
            view = keras_view(code.Name("w"), held.shape, held.steps)
            views.append(code.Tuple((held.tensors[0], code.Lambda("w", view))))
    return code.List(tuple(views))


class Schedule(Entry):
    """Base of the learning rate schedules: the rate of a step, counted from 0, one per batch.

    Keras computes it in float32. The emitted program does so where that can be seen: in float64 programs, and where the
    schedule `leaps`.
    """

    @property
    def first(self) -> float:
        raise NotImplementedError

    @property
    def leaps(self) -> bool:
        """Whether rounding errors can put a leap of the rate a step off."""
        return False

    def rates(self, t: TrainingCall, step: code.Expr, single: bool) -> list[code.Stmt]:
        """Code for the rate of `step`, which is a `np.float32` where `single`."""
        raise NotImplementedError

    def single(self, t: TrainingCall) -> bool:
        """Whether the rate is computed in float32."""
        return t.double or self.leaps

    def body(self, t: TrainingCall) -> list[code.Stmt]:
        """The body of `learning_rate(step)`."""
        if not self.single(t):
            return self.rates(t, code.Name("step"), False)
        at = code.Name("at")
        start = code.Assign((at,), code.call("np.float32", code.Name("step")))
        return [start, *(_as_float(statement) for statement in self.rates(t, at, True))]


def _as_float(statement: code.Stmt) -> code.Stmt:
    match statement:
        case code.Return(value):
            return code.Return(code.call("float", value))
        case code.If(test, body):
            return code.If(test, tuple(_as_float(inner) for inner in body))
    return statement
