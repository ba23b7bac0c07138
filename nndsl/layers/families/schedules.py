"""Learning rate schedules: the rate as a function of the step, one step per batch, the first step is 0.

Formulas: keras/src/optimizers/schedules/learning_rate_schedule.py (3.15).
"""

from __future__ import annotations

from nndsl import code
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.kinds import Bool, Float, Int, ListOf, Maybe
from nndsl.layers.optimizing import Schedule
from nndsl.layers.training import TrainingCall

STEPS = "The number of batches over which the rate falls."


def _rate() -> float:
    return arg(Float(0, above=True), "The rate of the first step.")


def _decay_steps() -> int:
    return arg(Int(1), STEPS)


class _FromInitial(Schedule):
    initial_learning_rate: float
    decay_steps: int

    @property
    def first(self) -> float:
        return self.initial_learning_rate


class _Staircase(_FromInitial):
    staircase: bool

    def _progress(self, step: code.Expr) -> code.Expr:
        return code.binary("//" if self.staircase else "/", step, self.decay_steps)


@entry("schedule")
class ExponentialDecay(_Staircase):
    """`initial · decay_rate ^ (step / decay_steps)`; with `staircase` the exponent is a whole number.

    Example:
        train { optimizer = Adam(learning_rate=ExponentialDecay(1e-3, decay_steps=1000, decay_rate=0.9)) }
    """

    initial_learning_rate = _rate()
    decay_steps = _decay_steps()
    decay_rate = arg(Float(0, above=True), "What the rate is multiplied by every `decay_steps` steps.")
    staircase = arg(Bool(), "Whether the rate falls in steps.", False)

    def body(self, t: TrainingCall, step: code.Expr) -> list[code.Stmt]:
        t.scope.imports.add("import math")
        power = code.call("math.pow", self.decay_rate, self._progress(step))
        return [code.Return(code.binary("*", self.initial_learning_rate, power))]


@entry("schedule")
class InverseTimeDecay(_Staircase):
    """`initial / (1 + decay_rate · step / decay_steps)`; with `staircase` the quotient is a whole number.

    Example:
        train { optimizer = SGD(learning_rate=InverseTimeDecay(0.1, decay_steps=100, decay_rate=0.5)) }
    """

    initial_learning_rate = _rate()
    decay_steps = _decay_steps()
    decay_rate = arg(Float(0), "How fast the rate falls.")
    staircase = arg(Bool(), "Whether the rate falls in steps.", False)

    def body(self, t: TrainingCall, step: code.Expr) -> list[code.Stmt]:
        progress = self._progress(step)
        fall = code.binary("*", self.decay_rate, progress)
        return [code.Return(code.binary("/", self.initial_learning_rate, code.binary("+", 1.0, fall)))]


@entry("schedule")
class PolynomialDecay(_FromInitial):
    """From the initial rate to `end_learning_rate`, in a straight line or as a `power` of what is left.

    Example:
        train { optimizer = SGD(learning_rate=PolynomialDecay(0.1, decay_steps=1000)) }
    """

    initial_learning_rate = _rate()
    decay_steps = _decay_steps()
    end_learning_rate = arg(Float(0), "The rate at the end.", 0.0001)
    power = arg(Float(0), "1 is a straight line.", 1.0)
    cycle = arg(Bool(), "Whether it starts anew, slower, after `decay_steps`.", False)

    def body(self, t: TrainingCall, step: code.Expr) -> list[code.Stmt]:
        left, steps = code.Name("left"), code.lift(self.decay_steps)
        body: list[code.Stmt] = []
        if self.cycle:
            t.scope.imports.add("import math")
            rounds = code.call("max", 1, code.call("math.ceil", code.binary("/", step, self.decay_steps)))
            body.append(code.Assign((code.Name("steps"),), code.binary("*", self.decay_steps, rounds)))
            steps = code.Name("steps")
        else:
            step = code.call("min", step, self.decay_steps)
        body.append(code.Assign((left,), code.binary("-", 1.0, code.binary("/", step, steps))))
        span = self.initial_learning_rate - self.end_learning_rate
        part: code.Expr = left
        if self.power != 1.0:
            t.scope.imports.add("import math")
            part = code.call("math.pow", left, self.power)
        body.append(code.Return(code.binary("+", code.binary("*", span, part), self.end_learning_rate)))
        return body


@entry("schedule")
class CosineDecay(_FromInitial):
    """Half a cosine from the initial rate down to `alpha` times it, after a straight climb if `warmup_target` is given.

    Example:
        train { optimizer = Adam(learning_rate=CosineDecay(1e-3, decay_steps=10000)) }
    """

    initial_learning_rate = arg(Float(0), "The rate of the first step.")
    decay_steps = _decay_steps()
    alpha = arg(Float(0), "The part of the rate that is left at the end.", 0.0)
    warmup_target = arg(Maybe(Float(0, above=True)), "The rate at the end of the climb; `none`: no climb.", None)
    warmup_steps = arg(Int(0), "The number of batches of the climb.", 0)

    def check(self) -> None:
        if self.warmup_target is not None and self.warmup_steps == 0:
            raise ConfigError(
                "`warmup_target` of `CosineDecay` needs `warmup_steps`, the length of the climb",
                "warmup_target",
                help="write `warmup_steps=1000`, for instance",
            )

    def body(self, t: TrainingCall, step: code.Expr) -> list[code.Stmt]:
        t.scope.imports.add("import math")
        body: list[code.Stmt] = []
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            climb = code.binary("*", self.warmup_target - top, code.binary("/", step, self.warmup_steps))
            rate = code.binary("+", top, climb)
            body.append(code.If(code.binary("<", step, self.warmup_steps), (code.Return(rate),)))
            step, top = code.binary("-", step, self.warmup_steps), self.warmup_target
        done = code.binary("/", code.call("min", step, self.decay_steps), self.decay_steps)
        wave = code.call("math.cos", code.binary("*", code.dotted("math.pi"), done))
        cosine: code.Expr = code.binary("*", 0.5, code.binary("+", 1.0, wave))
        if self.alpha:
            cosine = code.binary("+", code.binary("*", 1.0 - self.alpha, cosine), self.alpha)
        return [*body, code.Return(code.binary("*", top, cosine))]


@entry("schedule")
class PiecewiseConstantDecay(Schedule):
    """`values[0]` up to and including step `boundaries[0]`, then `values[1]`, and so on.

    Example:
        train { optimizer = SGD(learning_rate=PiecewiseConstantDecay([1000, 2000], [0.1, 0.01, 0.001])) }
    """

    boundaries = arg(ListOf(Int(0), least=1), "The last step of each rate but the last.")
    values = arg(ListOf(Float(0), least=2), "The rates, one more than boundaries.")

    def check(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            raise ConfigError(
                f"`PiecewiseConstantDecay` has {len(self.boundaries)} boundaries and {len(self.values)} values: "
                "there must be one value more than boundaries",
                "boundaries",
                "values",
                help="the first value holds up to the first boundary, the last one after the last",
            )
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ConfigError("the boundaries of `PiecewiseConstantDecay` must rise", "boundaries")

    @property
    def first(self) -> float:
        return self.values[0]

    def body(self, t: TrainingCall, step: code.Expr) -> list[code.Stmt]:
        parts: list[code.Stmt] = [
            code.If(code.binary("<=", step, boundary), (code.Return(code.lift(value)),))
            for boundary, value in zip(self.boundaries, self.values, strict=False)
        ]
        return [*parts, code.Return(code.lift(self.values[-1]))]
