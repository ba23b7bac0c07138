"""Optimizers with Keras's meaning: epsilon, decay and clipping as keras/src/optimizers (3.15) has them.

torch's own class is taken where it is the same in the configuration at hand, with its epsilon set as needed.
"""

from __future__ import annotations

from typing import Any

from nndsl import code
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Bool, Either, Float, Maybe, Of
from nndsl.layers.optimizing import Optimizer, Rows, Slot
from nndsl.layers.training import TrainingCall


def rate(default: float) -> Any:
    kind = Either(Float(0, above=True), Of("schedule"))
    return arg(kind, "How far a step goes: a number, or a schedule.", default, formerly=("lr",))


def decay(default: float | None = None) -> float | None:
    text = "Share of each weight, times the learning rate, that every step takes away (decoupled, on all weights)."
    return arg(Maybe(Float(0)), text, default)


def clipnorm() -> float | None:
    return arg(Maybe(Float(0, above=True)), "Longest gradient of each weight: longer ones are shortened to it.", None)


def clipvalue() -> float | None:
    return arg(Maybe(Float(0, above=True)), "Largest absolute value in any gradient.", None)


def global_clipnorm() -> float | None:
    return arg(Maybe(Float(0, above=True)), "Longest gradient of all weights together.", None)


def fraction(doc: str, default: float) -> float:
    return arg(Float(0, 1, below=True), doc, default)


def epsilon() -> float:
    return arg(Float(0, above=True), "Keeps the division from dividing by 0.", 1e-7)


FIRST = "How much of the running mean of gradients is kept."
SECOND = "How much of the running mean of squared gradients is kept."


@entry("optimizer", "sgd")
class SGD(Optimizer):
    """Gradient descent, with momentum if asked: `v = momentum v - learning_rate g`, `w += v`.

    Example:
        train { optimizer = SGD(learning_rate=0.05, momentum=0.9, nesterov=true) }
    """

    learning_rate = rate(0.01)
    momentum = arg(Float(0, 1), "How much of the last step is kept.", 0.0)
    nesterov = arg(Bool(), "Whether the gradient counts as if taken a step ahead.", False)
    weight_decay = decay()
    clipnorm = clipnorm()
    clipvalue = clipvalue()
    global_clipnorm = global_clipnorm()

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("momentum", "momentum_buffer", per_rate=True),),) if self.momentum else ()

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        options: dict[str, object] = {"lr": self.first_rate}
        if self.momentum:
            options["momentum"] = self.momentum
            if not constant or self.weight_decay:
                return code.call(t.helper("NesterovSGD" if self.nesterov else "SGD"), parameters, **options)
            if self.nesterov:
                options["nesterov"] = True
        return code.call("optim.SGD", parameters, **options)


@entry("optimizer", "rmsprop", formerly=("RMSProp",))
class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squared gradients; epsilon is inside the root.

    Example:
        train { optimizer = RMSprop(learning_rate=0.001, rho=0.9) }
    """

    learning_rate = rate(0.001)
    rho = fraction(SECOND, 0.9)
    momentum = arg(Float(0, 1), "How much of the last step is kept.", 0.0)
    epsilon = epsilon()
    centered = arg(Bool(), "Whether the mean's square is taken off the mean of squares.", False)
    weight_decay = decay()
    clipnorm = clipnorm()
    clipvalue = clipvalue()
    global_clipnorm = global_clipnorm()

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        kept = {"velocity": True, "momentum": self.momentum > 0, "average_gradient": self.centered}
        return tuple((Slot(name),) for name, there in kept.items() if there)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        options: dict[str, object] = {"lr": self.first_rate, "rho": self.rho, "epsilon": self.epsilon}
        if self.momentum:
            options["momentum"] = self.momentum
        name = "CenteredRMSprop" if self.centered else "MomentumRMSprop" if self.momentum else "RMSprop"
        return code.call(t.helper(name), parameters, **options)


class _Adam(Optimizer):
    decays = counts = early_epsilon = True
    beta_1: float
    beta_2: float
    epsilon: float
    amsgrad: bool

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        largest = ((Slot("velocity_hat", "max_exp_avg_sq"),),) if self.amsgrad else ()
        return ((Slot("momentum", "exp_avg"), Slot("velocity", "exp_avg_sq")), *largest)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        options: dict[str, object] = {"lr": self.first_rate}
        if (self.beta_1, self.beta_2) != (0.9, 0.999):  # torch's own
            options["betas"] = (self.beta_1, self.beta_2)
        options["eps"] = self.epsilon
        if self.amsgrad:
            options["amsgrad"] = True
        if self.weight_decay:
            return code.call("optim.AdamW", parameters, **options, weight_decay=self.weight_decay)
        return code.call("optim.Adam", parameters, **options)

    def hooks(self, t: TrainingCall) -> list[code.Expr]:
        return [*super().hooks(t), t.helper("early_epsilon")]


@entry("optimizer", "adam")
class Adam(_Adam):
    """Steps from running means of gradients and of squared gradients, both corrected for their start at 0.

    Example:
        train { optimizer = Adam(learning_rate=0.001, clipnorm=1) }
    """

    learning_rate = rate(0.001)
    beta_1 = fraction(FIRST, 0.9)
    beta_2 = fraction(SECOND, 0.999)
    epsilon = epsilon()
    amsgrad = arg(Bool(), "Whether the largest mean of squared gradients so far counts.", False)
    weight_decay = decay()
    clipnorm = clipnorm()
    clipvalue = clipvalue()
    global_clipnorm = global_clipnorm()


@entry("optimizer", "adamw")
class AdamW(_Adam):
    """Adam that takes a share of each weight away at every step.

    Example:
        train { optimizer = AdamW(learning_rate=0.001, weight_decay=0.01) }
    """

    learning_rate = rate(0.001)
    weight_decay = decay(0.004)
    beta_1 = fraction(FIRST, 0.9)
    beta_2 = fraction(SECOND, 0.999)
    epsilon = epsilon()
    amsgrad = arg(Bool(), "Whether the largest mean of squared gradients so far counts.", False)
    clipnorm = clipnorm()
    clipvalue = clipvalue()
    global_clipnorm = global_clipnorm()


@entry("optimizer", "adamax")
class Adamax(Optimizer):
    """Adam with the largest gradient so far, fading, in place of the mean of squares.

    Example:
        train { optimizer = Adamax(learning_rate=0.002) }
    """

    learning_rate = rate(0.001)
    beta_1 = fraction(FIRST, 0.9)
    beta_2 = fraction("How slowly the largest gradient fades.", 0.999)
    epsilon = epsilon()
    weight_decay = decay()
    clipnorm = clipnorm()
    clipvalue = clipvalue()
    global_clipnorm = global_clipnorm()

    counts = True

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("momentum"), Slot("norm")),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        betas = (self.beta_1, self.beta_2)
        return code.call(t.helper("Adamax"), parameters, lr=self.first_rate, betas=betas, epsilon=self.epsilon)


@entry("optimizer", "nadam")
class Nadam(Optimizer):
    """Adam with Nesterov momentum, whose strength grows with the steps.

    Example:
        train { optimizer = nadam }
    """

    learning_rate = rate(0.001)
    beta_1 = fraction(FIRST, 0.9)
    beta_2 = fraction(SECOND, 0.999)
    epsilon = epsilon()
    weight_decay = decay()
    clipnorm = clipnorm()
    clipvalue = clipvalue()
    global_clipnorm = global_clipnorm()

    counts = True
    common_slots = (Slot("u_product", "mu_product", start=1.0),)

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("momentum", "exp_avg"), Slot("velocity", "exp_avg_sq")),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        betas = (self.beta_1, self.beta_2)
        return code.call(
            "optim.NAdam", parameters, lr=self.first_rate, betas=betas, eps=self.epsilon, momentum_decay=1.0
        )


@entry("optimizer", "adagrad")
class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients; epsilon is inside the root.

    Example:
        train { optimizer = Adagrad(learning_rate=0.01) }
    """

    learning_rate = rate(0.001)
    initial_accumulator_value = arg(Float(0), "What the sums start from.", 0.1)
    epsilon = epsilon()
    weight_decay = decay()
    clipnorm = clipnorm()
    clipvalue = clipvalue()
    global_clipnorm = global_clipnorm()

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("accumulator", start=self.initial_accumulator_value),),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        start = self.initial_accumulator_value
        return code.call(t.helper("Adagrad"), parameters, lr=self.first_rate, start=start, epsilon=self.epsilon)


@entry("optimizer", "adadelta")
class Adadelta(Optimizer):
    """Steps scaled by the ratio of running means: of squared steps to squared gradients.

    Example:
        train { optimizer = Adadelta(learning_rate=1.0) }
    """

    learning_rate = rate(0.001)
    rho = fraction(SECOND, 0.95)
    epsilon = epsilon()
    weight_decay = decay()
    clipnorm = clipnorm()
    clipvalue = clipvalue()
    global_clipnorm = global_clipnorm()

    counts = True

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("accumulated_grad", "square_avg"), Slot("accumulated_delta_var", "acc_delta")),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        return code.call("optim.Adadelta", parameters, lr=self.first_rate, rho=self.rho, eps=self.epsilon)
