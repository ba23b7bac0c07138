"""Dense layers over any axes: EinsumDense."""

from __future__ import annotations

import re
from string import ascii_letters

from nndsl import code
from nndsl.ir.dims import Dim, product
from nndsl.ir.types import TensorType, show_shape
from nndsl.layers.base import Layer, Weight
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ArgumentError, Binder, ConfigError, Kind, arg, entry
from nndsl.layers.kinds import WRONG_TYPE, Activation, Constraint, Initializer, Int, ListOf, Maybe, Regularizer, Text
from nndsl.layers.shapes import Check, ShapeError, loses_bias, need_float, static
from nndsl.layers.values import show
from nndsl.records import record

_FORMS = re.compile(
    r"(?P<left>\.\.\.)?(?P<input>[a-zA-Z]+)(?P<right>\.\.\.)?,(?P<kernel>[a-zA-Z]+)"
    r"->(?(left)\.\.\.)(?P<output>[a-zA-Z]+)(?(right)\.\.\.)"
)
_LONGEST = 200


@record
class Einsum:
    """An equation in its parts; `left` and `right` say where an ellipsis stands."""

    input: str
    kernel: str
    output: str
    left: bool = False
    right: bool = False


def parse(equation: str) -> Einsum | None:
    """The parts of an equation in one of Keras's three forms, or None."""
    match = _FORMS.fullmatch(equation) if len(equation) <= _LONGEST else None
    if match is None or (match["left"] and match["right"]):
        return None
    return Einsum(match["input"], match["kernel"], match["output"], bool(match["left"]), bool(match["right"]))


class Equation(Kind[str]):
    """The equation of an EinsumDense, of which nothing but letters, an ellipsis and the signs between is taken."""

    def convert(self, value: object, bind: Binder) -> str:
        if not isinstance(value, str):
            raise ArgumentError(f"must be {self.describe()}, not {show(value)}", code=WRONG_TYPE)
        found = parse(value)
        if found is None:
            without = value.replace(" ", "")
            spaced = without != value and parse(without) is not None
            raise ArgumentError(
                f"must be {self.describe()}, not {show(value)}",
                help=f'write it without spaces: `"{without}"`' if spaced else None,
                instead=(f'change to `"{without}"`', f'"{without}"') if spaced else None,
            )
        wrong = _misfit(found)
        if wrong is not None:
            rule = "letters stand for axes; what is in the input or the kernel and not in the output is summed over"
            raise ArgumentError(f"`{value}` {wrong}", help=rule, whole=True)
        return value

    def describe(self) -> str:
        return 'an equation such as `"abc,cd->abd"`, `"...x,xy->...y"` or `"abx...,xy->aby..."`'


def _misfit(parts: Einsum) -> str | None:
    """What is wrong with the letters of an equation."""
    names = (("input", parts.input), ("kernel", parts.kernel), ("output", parts.output))
    for name, letters in names:
        twice = next((letter for letter in letters if letters.count(letter) > 1), None)
        if twice is not None:
            return f"has `{twice}` twice in its {name}: each axis needs a letter of its own"
    for letter in parts.output:
        if letter not in parts.input + parts.kernel:
            return f"has `{letter}` in its output, and neither the input nor the kernel has it"
    for letter in parts.kernel:
        if letter not in parts.input + parts.output:
            return f"has `{letter}` in its kernel, and neither the input nor the output has it"
    if parts.left:
        return None
    batch = parts.input[0]
    if parts.output[0] != batch:
        return f"does not keep the batch axis: the output must begin with `{batch}` as the input does"
    if batch in parts.kernel:
        return f"has the batch axis `{batch}` in its kernel, whose size cannot depend on it"
    return None


@entry("layer")
class EinsumDense(Layer):
    """A dense layer whose kernel is multiplied along the axes that an equation names:
    `activation(einsum(equation, x, kernel) + bias)`.

    Each letter of `"abc,cd->abd"` is an axis of the input (the batch first), of the kernel and of the output; what the
    output does not name is summed over. An ellipsis at the left or right stands for any further axes. `output_shape`
    gives the sizes of the output without the batch axis and without the ellipsis, `none` where the axis is one of the
    input. `bias_axes` are the letters of the output that the bias has axes for. A mask ends here.
    Weights: kernel [its letters], bias [the output's letters from the first of `bias_axes` on, 1 where not named].

    Example:
        x -> EinsumDense("abc,cde->abde", output_shape=(none, 4, 8), bias_axes="de")
    """

    equation = arg(Equation(), "What is multiplied with what: `input,kernel->output`, a letter for each axis.")
    output_shape = arg(
        ListOf(Maybe(Int(1)), single=True),
        "Sizes of the output without the batch axis and the ellipsis; `none` is the size that the input has.",
    )
    activation = arg(Activation, "Applied to the result.", None)
    bias_axes = arg(Maybe(Text()), "Letters of the output along which a bias is added; `none` for no bias.", None)
    kernel_initializer = arg(Initializer, "Fills the kernel.", "glorot_uniform")
    bias_initializer = arg(Initializer, "Fills the bias.", "zeros")
    kernel_regularizer = arg(Regularizer, "Adds a penalty on the kernel to the loss.", None)
    bias_regularizer = arg(Regularizer, "Adds a penalty on the bias to the loss.", None)
    kernel_constraint = arg(Constraint, "Holds the kernel to a set after each step.", None)
    bias_constraint = arg(Constraint, "Holds the bias to a set after each step.", None)

    @property
    def parts(self) -> Einsum:
        found = parse(self.equation)
        assert found is not None  # its kind has seen to that
        return found

    def check(self) -> None:
        if self.bias_axes is None:
            return
        output = self.parts.output
        batch = "" if self.parts.left else output[0]
        wrong = next((c for c in self.bias_axes if c not in output or c == batch or self.bias_axes.count(c) > 1), None)
        if self.bias_axes == "" or wrong is not None:
            axes = "".join(letter for letter in output if letter != batch)
            raise ConfigError(
                f"`bias_axes` must be different letters of the output, not {show(self.bias_axes)}"
                + (": a bias has no batch axis" if wrong == batch != "" else ""),
                "bias_axes",
                "equation",
                help=f'the output has the axes `"{axes}"`' if axes else "the output has no axis beside the batch",
            )

    def axes(self, x: TensorType) -> tuple[list[str], list[str]]:
        """The names of the axes of input and output; those that an ellipsis stands for are "0", "1", …."""
        parts, free = self.parts, x.rank - len(self.parts.input)
        if free < 0 or (free and not parts.left and not parts.right):
            more = " or more" if parts.left or parts.right else ""
            raise ShapeError(
                f"`{self.equation}` asks for {len(parts.input)}{more} axes with the batch axis, and `EinsumDense` gets "
                f"{show_shape(x.features)}, which are {x.rank}",
                code="NN0301",
                argument="equation",
                help="each axis of the input has a letter, the batch axis first; `...` stands for any number of axes",
            )
        elided = [str(axis) for axis in range(free)]
        if parts.left:
            return [*elided, *parts.input], [*elided, *parts.output]
        return [*parts.input, *elided], [*parts.output, *elided]

    def sizes(self, x: TensorType, check: Check | None = None) -> dict[str, Dim]:
        """The size of each axis by its letter, the batch axis included."""
        inputs, outputs = self.axes(x)
        found: dict[str, Dim] = dict(zip(inputs, x.shape, strict=True))
        if outputs[0] != inputs[0] or inputs[0] in self.parts.kernel:
            raise ShapeError(
                f"`{self.equation}` does not keep the batch axis of {show_shape(x.features)}",
                argument="equation",
                help=f"the ellipsis stands for no axis here, so `{inputs[0]}` is the batch axis: it must come first in "
                "the output, and not be in the kernel",
            )
        named = [name for name in outputs[1:] if not name.isdigit()]
        if len(self.output_shape) != len(named):
            raise ShapeError(
                f"`output_shape` has {len(self.output_shape)} sizes, and the output of `{self.equation}` has "
                f"{len(named)} axes with a letter after the batch axis",
                argument="output_shape",
                help=f"a size for each of {', '.join(f'`{name}`' for name in named)}" if named else None,
            )
        for name, size in zip(named, self.output_shape, strict=True):
            if name in found and size is not None and check is not None:
                check.equal(
                    found[name],
                    size,
                    ShapeError(
                        f"`output_shape` says {size} for `{name}`, and the input has {found[name]} there",
                        argument="output_shape",
                        help=f"an axis that the output shares with the input keeps its size: write {found[name]}, or "
                        "`none`",
                    ),
                )
            elif name not in found:
                if size is None:
                    raise ShapeError(
                        f"`output_shape` says none for `{name}`, which is no axis of the input",
                        argument="output_shape",
                        help=f"say how large `{name}` is to be",
                    )
                found[name] = size
        return found

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, "EinsumDense")
        sizes = self.sizes(x, check)
        shapes = self._kernel(x, sizes), self._bias(x, sizes)
        result = x.with_shape(*(sizes[name] for name in self.axes(x)[1][1:]))
        if shapes[1] is not None:
            self._need_a_bias_that_keras_adds(result, shapes[1])
        return result

    def _kernel(self, x: TensorType, sizes: dict[str, Dim]) -> tuple[int, ...]:
        what = "the kernel of `EinsumDense`"
        return tuple(static(sizes[letter], what, x, argument="equation") for letter in self.parts.kernel)

    def _bias(self, x: TensorType, sizes: dict[str, Dim]) -> tuple[int, ...] | None:
        if self.bias_axes is None:
            return None
        output, what = self.parts.output, "the bias of `EinsumDense`"
        if sizes and self.axes(x)[0][0] in self.bias_axes:
            raise ShapeError("a bias has no batch axis", argument="bias_axes")
        first = min(output.index(letter) for letter in self.bias_axes)
        shape = [
            static(sizes[letter], what, x, argument="bias_axes") if letter in self.bias_axes else 1
            for letter in output[first:]
        ]
        elided = 0 if self.parts.left else x.rank - len(self.parts.input)
        return (*shape, *(1,) * elided)

    def _need_a_bias_that_keras_adds(self, result: TensorType, shape: tuple[int, ...]) -> None:
        if loses_bias(result.shape, shape):
            raise ShapeError(
                f"Keras 3.15 cannot add a bias along `{self.bias_axes}` in {show_shape(result.features)}: where "
                "another axis has the same size, it takes that one",
                code="NN0218",
                argument="bias_axes",
                help="let the axis of the bias be the last of the output, and put a `Permute` behind",
            )

    def weights(self, x: TensorType) -> list[Weight]:
        sizes = self.sizes(x)
        ins = tuple(axis for axis, letter in enumerate(self.parts.kernel) if letter not in self.parts.output)
        kernel = Weight(
            "kernel",
            self._kernel(x, sizes),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            input_axes=ins,
        )
        shape = self._bias(x, sizes)
        if shape is None:
            return [kernel]
        bias = Weight(
            "bias",
            shape,
            self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )
        return [kernel, bias]

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        sizes = self.sizes(inputs[0])
        batch = self.axes(inputs[0])[0][0]
        return product(size for name, size in sizes.items() if name != batch)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        y: code.Expr = code.call("torch.einsum", self.equation, x, t.parameter("kernel"))
        if self.bias_axes is not None:
            y = code.binary("+", y, t.parameter("bias"))
        return t.activate(self.activation, y)

    def module(self, t: TorchCall) -> code.Expr:
        """All but the activation as a module, whose weight begins with the last axis of the kernel."""
        kernel, *bias = self.weights(*t.inputs)
        rank = len(kernel.shape)
        order = (rank - 1, *range(rank - 1))
        letters = self.parts.kernel
        equation = self.equation.replace(f",{letters}->", f",{letters[-1]}{letters[:-1]}->")
        weights = [TorchWeight("weight", "kernel", (("permute", order),))] + [TorchWeight("bias", "bias")] * len(bias)
        shape, bias_shape = tuple(kernel.shape[axis] for axis in order), bias[0].shape if bias else None
        return t.module(code.call(t.helper("Einsum"), equation, shape, bias_shape), *weights)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, **self._spelled(k))

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, **self._spelled(k))

    def _spelled(self, k: KerasCall) -> dict[str, object]:
        """Arguments that give Keras the sizes that follow from the input, where they are the same in all calls.

        Of an ellipsis at the left that stands for more than one axis beside the batch Keras turns the order around
        where it tells the shape of its output, so there each axis is written with a letter."""
        parts, (x, *_) = self.parts, k.inputs
        sizes, *others = (self.sizes(use) for use, *_ in k.uses)
        known = {
            name: size if isinstance(size, int) and all(other[name] == size for other in others) else None
            for name, size in sizes.items()
        }
        elided = x.rank - len(parts.input) if parts.left else 0
        named = parts.output if elided else parts.output[1:]
        shape = tuple(known[name] for name in named)
        if elided < 3:
            return {} if shape == self.output_shape else {"output_shape": shape}
        used = parts.input + parts.kernel + parts.output
        more = "".join([letter for letter in ascii_letters if letter not in used][:elided])
        return {
            "equation": f"{more}{parts.input},{parts.kernel}->{more}{parts.output}",
            "output_shape": (*(known[str(axis)] for axis in range(1, elided)), *shape),
        }
