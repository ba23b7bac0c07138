"""Optimizers that look at a weight as a whole, and not at each number of it: in Keras's layout of the weight."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nndsl import code
from nndsl.layers.entry import ArgumentError, arg, entry
from nndsl.layers.families.optimizers import FIRST, SECOND, epsilon, fraction
from nndsl.layers.kinds import Bool, Float, Int, ListOf, Maybe, Text
from nndsl.layers.optimizing import SHARED, Optimizer, Rows, Slot, decay, joint_weights, rate, unusual_views
from nndsl.layers.training import TrainingCall


def _layout(t: TrainingCall) -> dict[str, object]:
    """The arguments of the helper WholeWeights."""
    views, joint = unusual_views(t), joint_weights(t)
    return {**({"views": views} if views.items else {}), **({"joint": code.List(tuple(joint))} if joint else {})}


@entry("optimizer", "lamb")
class Lamb(Optimizer):
    """Adam whose steps are as long as the weight, times the rate: for large batches.

    Example:
        train { optimizer = Lamb(learning_rate=0.002) }
    """

    learning_rate = rate(0.001)
    beta_1 = fraction(FIRST, 0.9)
    beta_2 = fraction(SECOND, 0.999)
    epsilon = epsilon()
    weight_decay = decay()
    shared = SHARED

    counts = True

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("momentum"), Slot("velocity")),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        options: dict[str, object] = {"lr": self.first_rate, "betas": (self.beta_1, self.beta_2)}
        options["epsilon"] = self.epsilon
        joint = joint_weights(t)
        if joint:
            options["joint"] = code.List(tuple(joint))
        return code.call(t.helper("JointLamb" if joint else "Lamb"), parameters, **options)


@entry("optimizer", "adafactor")
class Adafactor(Optimizer):
    """Steps divided by the root of mean squares of gradients, of which it keeps little: for large models.

    Example:
        train { optimizer = Adafactor(learning_rate=0.01) }
    """

    learning_rate = rate(0.001)
    beta_2_decay = arg(Float(high=0), "How the running means of squares slow down: the power of the step.", -0.8)
    epsilon_1 = arg(Float(0), "Keeps the means of squares from being 0.", 1e-30)
    epsilon_2 = arg(Float(0), "The least size of a weight that its steps go by.", 1e-3)
    clip_threshold = arg(Float(0, above=True), "The largest root mean square of a step, before its rate.", 1.0)
    relative_step = arg(Bool(), "Has no effect: steps are never longer than 1 over the root of their number.", True)
    weight_decay = decay()
    shared = SHARED

    counts = True

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        if len(shape) < 2:
            return ((Slot(""), Slot(""), Slot("velocity")),)
        return ((Slot("r", without=-1), Slot("c", without=-2), Slot("velocity", derived=True)),)

    def derived(self, kept: Mapping[str, Any]) -> Mapping[str, Any]:
        if "r" not in kept:
            return {}
        r, c = kept["r"], kept["c"]
        return {"velocity": (r / r.mean(-1, keepdims=True))[..., None] * c[..., None, :]}

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        options: dict[str, object] = {"lr": self.first_rate}
        if self.beta_2_decay != -0.8:
            options["beta_2_decay"] = self.beta_2_decay
        if t.double or (self.epsilon_1, self.epsilon_2) != (1e-30, 1e-3):
            options["epsilons"] = code.Tuple((code.lift(self.epsilon_1), t.single(self.epsilon_2)))
        if self.clip_threshold != 1.0:
            options["clip_threshold"] = self.clip_threshold
        return code.call(t.helper("Adafactor"), parameters, **options, **_layout(t))


class _Pattern(Text):
    """A regular expression."""

    def convert(self, value: object, bind: Any) -> str:
        text = super().convert(value, bind)
        try:
            re.compile(text)
        except re.error as error:
            raise ArgumentError(f"must be a regular expression, and {text!r} is none: {error}") from None
        return text

    def describe(self) -> str:
        return "a regular expression"


@entry("optimizer", "muon")
class Muon(Optimizer):
    """Steps that are orthogonal matrices, for weights with two axes; AdamW for all others and for embeddings.

    Example:
        train { optimizer = Muon(learning_rate=0.01, exclude_layers=["head"]) }
    """

    learning_rate = rate(0.001)
    adam_beta_1 = fraction(FIRST, 0.9)
    adam_beta_2 = fraction(SECOND, 0.999)
    adam_weight_decay = decay(0.004)
    epsilon = epsilon()
    weight_decay = decay(0.004)
    shared = SHARED
    exclude_layers = arg(
        Maybe(ListOf(_Pattern())),
        "Regular expressions: weights whose `layer/weight` one of them is found in take AdamW.",
        None,
    )
    exclude_embeddings = arg(Bool(), 'Whether weights with "embedding" in `layer/weight` take AdamW.', True)
    muon_a = arg(Float(), "The first coefficient of the Newton-Schulz steps.", 3.4445)
    muon_b = arg(Float(), "The second one.", -4.7750)
    muon_c = arg(Float(), "The third one.", 2.0315)
    adam_lr_ratio = arg(Float(0), "What the rate is multiplied by for AdamW.", 1)
    momentum = arg(Float(0, 1), FIRST, 0.95)
    ns_steps = arg(Int(0), "The number of Newton-Schulz steps.", 5)
    nesterov = arg(Bool(), "Whether the gradient counts as if taken a step ahead.", True)
    rms_rate = arg(Maybe(Float(0)), "The root mean square of a step, over the rate; `none`: what comes.", 0.2)

    counts = True

    def leaves(self, path: str, shape: tuple[int, ...]) -> bool:
        """Whether a weight is left to AdamW."""
        excluded = any(re.search(pattern, path) for pattern in self.exclude_layers or ())
        return len(shape) != 2 or (self.exclude_embeddings and "embedding" in path.lower()) or excluded

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        velocity = (Slot("velocity"),) if self.leaves(path, shape) else ()
        return ((Slot("momentum"), *velocity),)

    def decays(self, t: TrainingCall) -> bool:
        return True

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        decays = tuple(
            code.lift(0.0) if x is None else t.single(x) for x in (self.weight_decay, self.adam_weight_decay)
        )
        left = [held for held in t.weights if len(held.shape) == 2 and self.leaves(held.path, held.shape)]
        options: dict[str, object] = {"lr": self.first_rate}
        if t.double or (self.weight_decay, self.adam_weight_decay) != (0.004, 0.004):
            options["decays"] = code.Tuple(decays)
        given: dict[str, tuple[object, object]] = {
            "momentum": (self.momentum, 0.95),
            "nesterov": (self.nesterov, True),
            "rms_rate": (self.rms_rate, 0.2),
            "steps": (self.ns_steps, 5),
            "coefficients": ((self.muon_a, self.muon_b, self.muon_c), (3.4445, -4.775, 2.0315)),
            "betas": ((self.adam_beta_1, self.adam_beta_2), (0.9, 0.999)),
            "epsilon": (self.epsilon, 1e-7),
            "adam_ratio": (self.adam_lr_ratio, 1),
        }
        options |= {name: value for name, (value, default) in given.items() if value != default}
        if left:
            options["adam"] = code.List(tuple(held.tensors[0] for held in left))
        return code.call(t.helper("Muon"), parameters, **options, **_layout(t))


@entry("optimizer")
class ScheduleFreeAdamW(Optimizer):
    """AdamW that needs no schedule: the weights stand near the mean of all places that the gradients have led to.

    Example:
        train { optimizer = ScheduleFreeAdamW(learning_rate=0.0025, warmup_steps=100) }
    """

    learning_rate = rate(0.0025)
    beta_1 = arg(Float(0, 1, above=True), "How near the weights are to the mean of all places.", 0.9)
    beta_2 = fraction(SECOND, 0.999)
    epsilon = arg(Float(0), "Keeps the division from dividing by 0.", 1e-8)
    warmup_steps = arg(Int(0), "The number of steps in which the rate rises.", 0)
    weight_decay = decay()
    shared = SHARED

    counts = True

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("momentum", weight=True), Slot("velocity")),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        betas = code.Tuple((t.single(self.beta_1), t.single(self.beta_2)))
        options: dict[str, object] = {"lr": self.first_rate, "betas": betas, "epsilon": t.single(self.epsilon)}
        if self.warmup_steps:
            options["warmup_steps"] = self.warmup_steps
        return code.call(t.helper("ScheduleFreeAdamW"), parameters, **options)
