"""Initializers, with the distributions of keras/src/initializers/: equal in distribution, not draw by draw."""

from __future__ import annotations

from math import prod

from nndsl import code
from nndsl.layers.emit import InitRecord, TorchScope, stepped, torch_shape
from nndsl.layers.entry import ConfigError, Entry, arg, entry
from nndsl.layers.kinds import Choice, Float, Int, ListOf, Maybe


class Initializer(Entry):
    """Base of the initializers."""

    def misfit(self, shape: tuple[int, ...]) -> str | None:
        """Why it cannot fill a weight of this shape (Keras's layout), in words that go on after "`GlorotUniform` …",
        or None where it can."""
        return None

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        """Statements that fill `record.target`, a tensor in torch's layout. `record.weight.fans` are Keras's fans."""
        raise NotImplementedError


def helper(scope: TorchScope, name: str) -> code.Name:
    """A helper of templates/torch/helpers, which the emitted file will carry."""
    scope.helpers[name] = None
    return code.Name(name)


@entry("initializer", "zero")
class Zeros(Initializer):
    """Fills with 0."""

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        return [code.Do(code.call("nn.init.zeros_", record.target))]


@entry("initializer", "one")
class Ones(Initializer):
    """Fills with 1."""

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        return [code.Do(code.call("nn.init.ones_", record.target))]


@entry("initializer")
class Constant(Initializer):
    """Fills with one number: `bias_initializer=Constant(0.1)`."""

    value = arg(Float(), "The number.", 0.0)

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        return [code.Do(code.call("nn.init.constant_", record.target, self.value))]


@entry("initializer", "IdentityInitializer")
class Identity(Initializer):
    """Fills a matrix with `gain` on the diagonal and 0 elsewhere."""

    gain = arg(Float(), "The number on the diagonal.", 1.0)

    def misfit(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) == 2 else f"fills matrices, and this weight has {len(shape)} axes"

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        plain = all(kind == "permute" for kind, _ in record.steps)  # the transpose of a diagonal is diagonal
        if plain and self.gain == 1:
            return [code.Do(code.call("nn.init.eye_", record.target))]
        eye: code.Expr = code.call("torch.eye", *(torch_shape(record.weight.shape, record.steps if plain else ())))
        if self.gain != 1:
            eye = code.binary("*", self.gain, eye)
        value = eye if plain else stepped(scope, eye, record.steps)
        return [code.Do(code.call(helper(scope, "assign_"), record.target, value))]


class RandomInitializer(Initializer):
    """Base of the random initializers."""

    seed: int | None

    @property
    def stream(self) -> dict[str, code.Expr]:
        """The keyword argument with a random stream of its own, where the file gives a seed."""
        if self.seed is None:
            return {}
        return {"generator": code.method(code.call("torch.Generator"), "manual_seed", self.seed)}


SEED = "Makes the draws repeatable; `none` takes them from the program's own stream."


@entry("initializer", "normal")
class RandomNormal(RandomInitializer):
    """Normal distribution."""

    mean = arg(Float(), "Mean.", 0.0)
    stddev = arg(Float(0), "Standard deviation.", 0.05)
    seed = arg(Maybe(Int(0)), SEED, None)

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        call = code.call("nn.init.normal_", record.target, mean=self.mean, std=self.stddev, **self.stream)
        return [code.Do(call)]


@entry("initializer", "uniform")
class RandomUniform(RandomInitializer):
    """Uniform distribution from `minval` to `maxval`."""

    minval = arg(Float(), "Lower end.", -0.05)
    maxval = arg(Float(), "Upper end.", 0.05)
    seed = arg(Maybe(Int(0)), SEED, None)

    def check(self) -> None:
        if self.minval > self.maxval:
            raise ConfigError(
                f"`minval` is {self.minval:g} and lies above `maxval`, {self.maxval:g}", "minval", "maxval",
                help="numbers are drawn from `minval` up to `maxval`",
            )  # fmt: skip

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        return [code.Do(code.call("nn.init.uniform_", record.target, self.minval, self.maxval, **self.stream))]


@entry("initializer")
class TruncatedNormal(RandomInitializer):
    """Normal distribution, cut at two standard deviations."""

    mean = arg(Float(), "Mean.", 0.0)
    stddev = arg(Float(0), "Standard deviation before the cut.", 0.05)
    seed = arg(Maybe(Int(0)), SEED, None)

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        fill = helper(scope, "truncated_normal_")
        return [code.Do(code.call(fill, record.target, mean=self.mean, std=self.stddev, **self.stream))]


@entry("initializer", "orthogonal_initializer", "OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """A random matrix with orthogonal columns (rows, where there are fewer); more axes are flattened but for the last
    (Saxe et al., 2014)."""

    gain = arg(Float(), "Scale of the matrix.", 1.0)
    seed = arg(Maybe(Int(0)), SEED, None)

    def misfit(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) > 1 else f"fills weights of two axes or more, and this one has {len(shape)}"

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        options = {**({} if self.gain == 1 else {"gain": code.lift(self.gain)}), **self.stream}
        shape, steps = record.weight.shape, record.steps
        ours = torch_shape(shape, steps)
        # The order of rows and of columns does not matter to the distribution, which axes are flattened does.
        if all(kind in ("permute", "blocks") for kind, _ in steps) and (len(shape) == 2 or ours[0] == shape[-1]):
            return [code.Do(code.call("nn.init.orthogonal_", record.target, **options))]
        matrix: code.Expr = code.call("torch.empty", prod(shape[:-1]), shape[-1])
        matrix = code.call("nn.init.orthogonal_", matrix, **options)
        if len(shape) != 2:
            matrix = code.method(matrix, "reshape", *shape)
        return [code.Do(code.call(helper(scope, "assign_"), record.target, stepped(scope, matrix, steps)))]


class Scaling(RandomInitializer):
    """Base of the initializers whose variance is `scale / n`, n from the sizes of the weight."""

    scale: float
    mode: str  # "fan_in", "fan_out", "fan_avg"
    distribution: str  # "truncated_normal", "untruncated_normal", "uniform"
    input_axes: tuple[int, ...] | None
    output_axes: tuple[int, ...] | None

    def misfit(self, shape: tuple[int, ...]) -> str | None:
        for axis in (*(self.input_axes or ()), *(self.output_axes or ())):
            if not -len(shape) <= axis < len(shape):
                return f"counts over axis {axis}, and this weight has {len(shape)} axes"
        return None

    def fans(self, record: InitRecord) -> tuple[int, int]:
        """(fan_in, fan_out), as keras/src/initializers/random_initializers.py counts them."""
        if self.input_axes is None or self.output_axes is None:
            return record.weight.fans
        shape = record.weight.shape
        return prod(shape[axis] for axis in self.input_axes), prod(shape[axis] for axis in self.output_axes)

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        mode = self.torch_mode(record)
        if mode is not None and self.distribution in ("uniform", "untruncated_normal"):
            call = self._of_torch(record.target, mode)
            if call is not None:
                return [code.Do(call)]
        fan_in, fan_out = self.fans(record)
        fan = max(1, {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode])
        if self.distribution == "untruncated_normal":
            deviation = (self.scale / fan) ** 0.5
            return [code.Do(code.call("nn.init.normal_", record.target, std=deviation, **self.stream))]
        options: dict[str, object] = {"scale": self.scale}
        if mode is None:
            options["fan"] = fan
        elif mode != "fan_in":
            options["mode"] = mode
        fill = helper(scope, "scaled_uniform_" if self.distribution == "uniform" else "scaled_normal_")
        return [code.Do(code.call(fill, record.target, **options, **self.stream))]

    def torch_mode(self, record: InitRecord) -> str | None:
        """The mode by which torch finds the fan in its own layout; None where that does not tell it.

        It goes by the layout alone, not by numbers that happen to agree: all calls of a block are to read the same.
        """
        shape, axes = record.weight.shape, list(range(len(record.weight.shape)))
        if len(shape) < 2 or min(shape) < 1 or self.input_axes is not None:
            return None
        if record.weight.input_axes is not None:  # several axes in or out, which torch has as one
            return self.mode if torch_shape(shape, record.steps) == record.weight.fans[::-1] else None
        for kind, numbers in record.steps:
            if kind == "permute":
                axes, shape = [axes[i] for i in numbers], tuple(shape[i] for i in numbers)
            elif kind != "blocks" and numbers != shape:  # a depthwise kernel keeps its shape mostly
                return None
        if axes[:2] == [len(axes) - 1, len(axes) - 2]:
            return self.mode
        if axes[:2] == [len(axes) - 2, len(axes) - 1]:  # what is the input to Keras is the output to torch
            return {"fan_in": "fan_out", "fan_out": "fan_in"}.get(self.mode, self.mode)
        return None

    def _of_torch(self, target: code.Expr, mode: str) -> code.Call | None:
        """A call of torch's own function, where one has this scale."""
        kind = "uniform" if self.distribution == "uniform" else "normal"
        options: dict[str, object] = {}
        if mode == "fan_avg":
            if self.scale != 1:
                options["gain"] = code.binary("**", self.scale, 0.5)
            return code.call(f"nn.init.xavier_{kind}_", target, **options, **self.stream)
        if self.scale not in (1, 2):
            return None
        if mode != "fan_in":
            options["mode"] = mode
        options["nonlinearity"] = "relu" if self.scale == 2 else "linear"
        return code.call(f"nn.init.kaiming_{kind}_", target, **options, **self.stream)


AXES_IN = "Axes of the weight (Keras's layout) whose sizes make up fan_in."
AXES_OUT = "Axes of the weight (Keras's layout) whose sizes make up fan_out."


@entry("initializer")
class VarianceScaling(Scaling):
    """Random numbers with variance `scale / n`, n being the fan that `mode` names.

    fan_in is the number of inputs of a unit, fan_out of its outputs, fan_avg their mean.
    """

    scale = arg(Float(0, above=True), "Scale of the variance.", 1.0)
    mode = arg(Choice("fan_in", "fan_out", "fan_avg"), "Which fan divides the scale.", "fan_in")
    distribution = arg(
        Choice("truncated_normal", "untruncated_normal", "uniform", "normal"),
        "Kind of distribution; `normal` is `truncated_normal`.",
        "truncated_normal",
    )
    seed = arg(Maybe(Int(0)), SEED, None)
    input_axes = arg(Maybe(ListOf(Int())), AXES_IN, None)
    output_axes = arg(Maybe(ListOf(Int())), AXES_OUT, None)


class Named(Scaling):
    """Base of the variance scalings that have names of their own."""

    mode = "fan_in"
    seed = arg(Maybe(Int(0)), SEED, None)
    input_axes = arg(Maybe(ListOf(Int())), AXES_IN, None)
    output_axes = arg(Maybe(ListOf(Int())), AXES_OUT, None)


@entry("initializer")
class GlorotUniform(Named):
    """Uniform on ±sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""

    scale, mode, distribution = 1.0, "fan_avg", "uniform"


@entry("initializer")
class GlorotNormal(Named):
    """Truncated normal with deviation sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""

    scale, mode, distribution = 1.0, "fan_avg", "truncated_normal"


@entry("initializer")
class LecunUniform(Named):
    """Uniform on ±sqrt(3 / fan_in) (LeCun et al., 1998)."""

    scale, distribution = 1.0, "uniform"


@entry("initializer")
class LecunNormal(Named):
    """Truncated normal with deviation sqrt(1 / fan_in) (LeCun et al., 1998): goes with `selu`."""

    scale, distribution = 1.0, "truncated_normal"


@entry("initializer")
class HeUniform(Named):
    """Uniform on ±sqrt(6 / fan_in) (He et al., 2015): goes with `relu`."""

    scale, distribution = 2.0, "uniform"


@entry("initializer")
class HeNormal(Named):
    """Truncated normal with deviation sqrt(2 / fan_in) (He et al., 2015): goes with `relu`."""

    scale, distribution = 2.0, "truncated_normal"


class Values(Initializer):
    """Fills with the numbers of a matrix that the file gives (`Embedding(weights=…)`); it has no name of its own."""

    def __init__(self, rows: tuple[tuple[float, ...], ...]) -> None:
        super().__init__({}, lambda _: None)
        self.rows = rows

    def torch(self, scope: TorchScope, record: InitRecord) -> list[code.Stmt]:
        value = stepped(scope, code.call("torch.tensor", [list(row) for row in self.rows]), record.steps)
        return [code.Do(code.call(helper(scope, "assign_"), record.target, value))]
