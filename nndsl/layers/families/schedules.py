"""Learning rate schedules: the rate as a function of the step, one step per batch, the first step is 0.

Formulas: keras/src/optimizers/schedules/learning_rate_schedule.py (3.15).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from struct import pack, unpack

from nndsl import code
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.kinds import Bool, Float, Int, ListOf, Maybe
from nndsl.layers.optimizing import Schedule
from nndsl.layers.training import TrainingCall

PI = code.dotted("math.pi")
STEPS = "The number of batches over which the rate falls."


def _rate() -> float:
    return arg(Float(0, above=True), "The rate of the first step.")


def _decay_steps() -> int:
    return arg(Int(1), STEPS)


def _inverse(steps: int) -> code.Expr:
    """What Keras multiplies by where its text divides: its compiled graph has turned one into the other."""
    return code.call("np.float32", code.binary("/", 1, steps))


def _off(steps: int, kind: Callable[[float], int]) -> bool:
    """Whether so many steps times their inverse, in float32, is rounded to another whole number than 1 (or twice as
    many to another than 2, …)."""
    inverse = _rounded(1 / steps)
    return any(kind(_rounded(count * steps * inverse)) != count for count in range(1, 1025))


def _rounded(number: float) -> float:
    rounded: float = unpack("f", pack("f", number))[0]
    return rounded


def _single(number: float) -> code.Expr:
    return code.lift(number) if number == _rounded(number) else code.call("np.float32", number)


def _power(t: TrainingCall, base: float, exponent: code.Expr, single: bool) -> code.Expr:
    if single:
        return code.binary("**", code.call("np.float32", base), exponent)
    t.scope.imports.add("import math")
    return code.call("math.pow", base, exponent)


def _cosine(t: TrainingCall, angle: code.Expr, single: bool) -> code.Expr:
    t.scope.imports.add("import math")
    return code.call(t.helper("single_cosine") if single else "math.cos", angle)


def _least(step: code.Expr, most: int, single: bool) -> code.Expr:
    return code.call("np.minimum" if single else "min", step, most)


def _difference(high: float, low: float, single: bool) -> code.Expr:
    return code.binary("-", code.call("np.float32", high), low) if single else code.lift(high - low)


class _FromInitial(Schedule):
    initial_learning_rate: float
    decay_steps: int

    @property
    def first(self) -> float:
        return self.initial_learning_rate


class _Staircase(_FromInitial):
    staircase: bool

    @property
    def leaps(self) -> bool:
        """Where Keras's stairs come a step late: with 41 steps, for instance."""
        return self.staircase and _off(self.decay_steps, math.floor)

    def _progress(self, step: code.Expr, single: bool) -> code.Expr:
        if not single:
            return code.binary("//" if self.staircase else "/", step, self.decay_steps)
        progress = code.binary("*", step, _inverse(self.decay_steps))
        return code.call("np.floor", progress) if self.staircase else progress


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

    def rates(self, t: TrainingCall, step: code.Expr, single: bool) -> list[code.Stmt]:
        power = _power(t, self.decay_rate, self._progress(step, single), single)
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

    def rates(self, t: TrainingCall, step: code.Expr, single: bool) -> list[code.Stmt]:
        if single and not self.staircase:
            fall = code.binary("*", code.binary("*", self.decay_rate, _inverse(self.decay_steps)), step)
        else:
            fall = code.binary("*", self.decay_rate, self._progress(step, single))
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

    @property
    def leaps(self) -> bool:
        """Where Keras starts anew a step early."""
        return self.cycle and _off(self.decay_steps, math.ceil)

    def rates(self, t: TrainingCall, step: code.Expr, single: bool) -> list[code.Stmt]:
        left, steps = code.Name("left"), code.lift(self.decay_steps)
        body: list[code.Stmt] = []
        if self.cycle:
            t.scope.imports.add("import math")
            done = code.binary("/", step, self.decay_steps)
            if single:
                done = code.binary("*", step, _inverse(self.decay_steps))
            rounds = code.call("max", 1, code.call("math.ceil", done))
            body.append(code.Assign((code.Name("steps"),), code.binary("*", self.decay_steps, rounds)))
            steps = code.Name("steps")
        else:
            step = _least(step, self.decay_steps, single)
        done = code.binary("/", step, steps)
        if single and not self.cycle:
            done = code.binary("*", step, _inverse(self.decay_steps))
        body.append(code.Assign((left,), code.binary("-", 1.0, done)))
        span = _difference(self.initial_learning_rate, self.end_learning_rate, single)
        part: code.Expr = left
        if self.power != 1.0:
            t.scope.imports.add("import math")
            part = code.binary("**", left, self.power) if single else code.call("math.pow", left, self.power)
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

    def rates(self, t: TrainingCall, step: code.Expr, single: bool) -> list[code.Stmt]:
        body: list[code.Stmt] = []
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            height = _difference(self.warmup_target, top, single)
            climb = code.binary("*", height, code.binary("/", step, self.warmup_steps))
            rate = code.binary("+", top, climb)
            body.append(code.If(code.binary("<", step, self.warmup_steps), (code.Return(rate),)))
            step, top = code.binary("-", step, self.warmup_steps), self.warmup_target
        step = _least(step, self.decay_steps, single)
        angle = code.binary("*", PI, code.binary("/", step, self.decay_steps))
        if single and self.warmup_target is None:
            angle = code.binary("*", code.binary("*", PI, _inverse(self.decay_steps)), step)
        wave = _cosine(t, angle, single)
        if single:
            body.append(code.Assign((code.Name("wave"),), wave))
            wave = code.Name("wave")
        cosine: code.Expr = code.binary("*", 0.5, code.binary("+", 1.0, wave))
        if self.alpha:
            cosine = code.binary("+", code.binary("*", 1.0 - self.alpha, cosine), self.alpha)
        return [*body, code.Return(code.binary("*", top, cosine))]


@entry("schedule")
class CosineDecayRestarts(Schedule):
    """Half a cosine from the initial rate down to `alpha` times it, again and again: each time `t_mul` times as long,
    and from `m_mul` times as high.

    Example:
        train { optimizer = SGD(learning_rate=CosineDecayRestarts(0.1, first_decay_steps=1000)) }
    """

    initial_learning_rate = _rate()
    first_decay_steps = arg(Int(1), "The number of batches of the first fall.")
    t_mul = arg(Float(1), "How many times as long each fall is as the one before.", 2.0)
    m_mul = arg(Float(0), "How many times as high each fall begins as the one before.", 1.0)
    alpha = arg(Float(0), "The part of the rate that is left at the end of a fall.", 0.0)

    @property
    def leaps(self) -> bool:
        """Keras finds where a fall begins by float32 logarithms."""
        return True

    @property
    def first(self) -> float:
        return self.initial_learning_rate

    def _more(self) -> code.Expr | None:
        """How much longer each fall is than the one before, as code; None for twice as long."""
        if self.t_mul == 2.0:
            return None
        return code.binary("-", code.call("np.float32", self.t_mul), 1.0)

    def rates(self, t: TrainingCall, step: code.Expr, single: bool) -> list[code.Stmt]:
        t.scope.imports.add("import math")
        done, falls, part = code.Name("done"), code.Name("falls"), code.Name("part")
        body: list[code.Stmt] = [
            code.Assign((done,), code.binary("*", step, _inverse(self.first_decay_steps))),
        ]
        if self.t_mul == 1.0:
            body.append(code.Assign((falls,), code.call("np.floor", done)))
            body.append(code.Assign((part,), code.binary("-", done, falls)))
        else:
            more = self._more()
            grown = code.binary("+", 1.0, done if more is None else code.binary("*", done, more))
            log = code.call("np.float32", code.call("math.log", grown))
            base = code.call("np.float32", code.call("math.log", _single(self.t_mul)))
            body.append(
                code.Assign((falls,), code.call("np.floor", code.binary("*", log, code.binary("/", 1.0, base))))
            )
            length = code.Name("length")
            body.append(code.Assign((length,), _power(t, self.t_mul, falls, True)))
            past: code.Expr = code.binary("-", length, 1.0)
            past = past if more is None else code.binary("*", past, code.binary("/", 1.0, more))
            body.append(code.Assign((part,), code.binary("/", code.binary("-", done, past), length)))
        wave = code.Name("wave")
        body.append(code.Assign((wave,), _cosine(t, code.binary("*", PI, part), True)))
        if self.alpha:
            height: code.Expr = code.binary("*", 0.5, code.binary("-", 1.0, code.call("np.float32", self.alpha)))
        else:
            height = code.lift(0.5 * self.initial_learning_rate)
        if self.m_mul != 1.0:
            height = code.binary("*", height, _power(t, self.m_mul, falls, True))
        cosine = code.binary("*", height, code.binary("+", 1.0, wave))
        if not self.alpha:
            return [*body, code.Return(cosine)]
        cosine = code.binary("+", cosine, self.alpha)
        return [*body, code.Return(code.binary("*", self.initial_learning_rate, cosine))]


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

    def body(self, t: TrainingCall) -> list[code.Stmt]:
        step = code.Name("step")
        parts: list[code.Stmt] = [
            code.If(code.binary("<=", step, boundary), (code.Return(t.single(value)),))
            for boundary, value in zip(self.boundaries, self.values, strict=False)
        ]
        return [*parts, code.Return(t.single(self.values[-1]))]
