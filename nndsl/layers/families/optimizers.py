"""Optimizers with Keras's meaning: epsilon, decay and clipping as keras/src/optimizers (3.15) has them.

torch's own class is taken where it is the same in the configuration at hand, with its epsilon set as needed.
"""

from __future__ import annotations

from nndsl import code
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Bool, Float
from nndsl.layers.optimizing import SHARED, Optimizer, Rows, Slot, decay, rate
from nndsl.layers.training import TrainingCall


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
    shared = SHARED

    @property
    def linear(self) -> bool:
        return not (self.clipnorm or self.clipvalue or self.global_clipnorm)

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("momentum", "momentum_buffer", per_rate=True),),) if self.momentum else ()

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        options: dict[str, object] = {"lr": self.first_rate}
        if self.momentum:
            options["momentum"] = t.single(self.momentum)
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
    shared = SHARED

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
    counts = True
    beta_1: float
    beta_2: float
    epsilon: float
    amsgrad: bool

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        largest = ((Slot("velocity_hat", "max_exp_avg_sq"),),) if self.amsgrad else ()
        return ((Slot("momentum", "exp_avg"), Slot("velocity", "exp_avg_sq")), *largest)

    def own(self, t: TrainingCall) -> bool:
        """Whether torch's class will not do: it knows the betas as float64, and its count runs on while gradients are
        gathered."""
        return t.double or self.gradient_accumulation_steps is not None

    def decays(self, t: TrainingCall) -> bool:
        return not self.own(t)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        own, options = self.own(t), dict[str, object](lr=self.first_rate)
        if own or (self.beta_1, self.beta_2) != (0.9, 0.999):  # torch's own
            options["betas"] = (self.beta_1, self.beta_2)
        options["epsilon" if own else "eps"] = self.epsilon
        if self.amsgrad:
            options["amsgrad"] = True
        if own:
            return code.call(t.helper("Adam"), parameters, **options)
        if self.weight_decay:
            return code.call("optim.AdamW", parameters, **options, weight_decay=self.weight_decay)
        return code.call("optim.Adam", parameters, **options)

    def hooks(self, t: TrainingCall, parameters: code.Expr, rate: str) -> list[code.Expr]:
        return [*super().hooks(t, parameters, rate), *([] if self.own(t) else [t.helper("early_epsilon")])]


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
    shared = SHARED


@entry("optimizer", "adamw")
class AdamW(_Adam):
    """Adam that takes a share of each weight away at every step.

    Example:
        train { optimizer = AdamW(learning_rate=0.001, weight_decay=0.01) }
    """

    learning_rate = rate(0.001)
    weight_decay = decay(0.004, needed=True)
    beta_1 = fraction(FIRST, 0.9)
    beta_2 = fraction(SECOND, 0.999)
    epsilon = epsilon()
    amsgrad = arg(Bool(), "Whether the largest mean of squared gradients so far counts.", False)
    shared = SHARED


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
    shared = SHARED

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
    shared = SHARED

    counts = True
    common_slots = (Slot("u_product", "mu_product", start=1.0),)

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("momentum", "exp_avg"), Slot("velocity", "exp_avg_sq")),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        betas = (self.beta_1, self.beta_2)
        if t.double:
            return code.call(t.helper("Nadam"), parameters, lr=self.first_rate, betas=betas, epsilon=self.epsilon)
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
    shared = SHARED

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("accumulator", start=self.initial_accumulator_value),),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        start = t.single(self.initial_accumulator_value)
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
    shared = SHARED

    counts = True

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("accumulated_grad", "square_avg"), Slot("accumulated_delta_var", "acc_delta")),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        return code.call("optim.Adadelta", parameters, lr=self.first_rate, rho=self.rho, eps=self.epsilon)


@entry("optimizer", "ftrl")
class Ftrl(Optimizer):
    """Follow the regularized leader: for wide models of rare features, with penalties of its own.

    Example:
        train { optimizer = Ftrl(learning_rate=0.1, l1_regularization_strength=0.001) }
    """

    learning_rate = rate(0.001)
    learning_rate_power = arg(Float(high=0), "How the rate falls with the sum of squared gradients.", -0.5)
    initial_accumulator_value = arg(Float(0), "What the sums start from.", 0.1)
    l1_regularization_strength = arg(Float(0), "A penalty on absolute values, which makes weights 0.", 0.0)
    l2_regularization_strength = arg(Float(0), "A penalty on squares.", 0.0)
    l2_shrinkage_regularization_strength = arg(Float(0), "A penalty on squares that counts as a gradient.", 0.0)
    beta = arg(Float(), "One more penalty on squares: half of it, over the rate.", 0.0)
    weight_decay = decay()
    shared = SHARED

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("accumulator", start=self.initial_accumulator_value), Slot("linear")),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        options: dict[str, object] = {"lr": self.first_rate}
        for name, argument in _FTRL.items():
            value = getattr(self, argument)
            if value != self.arguments[argument].default or (name == "start" and t.double):
                options[name] = t.single(value) if name == "start" else value
        return code.call(t.helper("Ftrl"), parameters, **options)


_FTRL = {
    "power": "learning_rate_power",
    "start": "initial_accumulator_value",
    "l1": "l1_regularization_strength",
    "l2": "l2_regularization_strength",
    "shrinkage": "l2_shrinkage_regularization_strength",
    "beta": "beta",
}


@entry("optimizer", "lion")
class Lion(Optimizer):
    """Steps of one size for all weights, in the direction of a running mean of gradients.

    Example:
        train { optimizer = Lion(learning_rate=0.0003, weight_decay=0.1) }
    """

    learning_rate = rate(0.001)
    beta_1 = arg(Float(0, 1, above=True), "How much of the mean counts for the direction of a step.", 0.9)
    beta_2 = fraction(FIRST, 0.99)
    weight_decay = decay()
    shared = SHARED

    def slots(self, path: str, shape: tuple[int, ...]) -> Rows:
        return ((Slot("momentum"),),)

    def torch(self, t: TrainingCall, parameters: code.Expr, *, constant: bool) -> code.Expr:
        betas = code.Tuple((t.single(self.beta_1), t.single(self.beta_2)))
        return code.call(t.helper("Lion"), parameters, lr=self.first_rate, betas=betas)
