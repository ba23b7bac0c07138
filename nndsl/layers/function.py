"""The base of tensor functions and operators: `exp(x)`, `sum(x, axis=1)`, `a + b`, `x[:, 0]`.

They are entries of the catalogue like layers, without weights and without an identity of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nndsl import code
from nndsl.layers.base import Code, Layer
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import Arg, snake_case
from nndsl.layers.shapes import ShapeError
from nndsl.layers.values import spell


class Function(Layer):
    """A function of tensors. `operands` are its tensors, the declared arguments the rest, `signature` the order of
    both together (operands first where it says nothing).

    `infer`, `torch` and `keras` get the operands in order. `several` is the operand that takes any number of tensors,
    as a list or, with `spread`, one by one too. `numbers` says that a compile-time number may stand for an operand: its
    type is `weak`, its code a Literal; `fold` is what the function is of numbers alone.
    `draws` is for random functions: each call is a draw of its own, in the order of the file.
    """

    is_function = True
    signature: ClassVar[tuple[str, ...]] = ()
    operands: ClassVar[tuple[str, ...]] = ("x",)
    several: ClassVar[str] = ""
    spread: ClassVar[bool] = False
    numbers: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    arity = (0, None)
    common: ClassVar[dict[str, Arg]] = {}
    name = None
    trainable = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "signature" not in cls.__dict__:
            cls.signature = (*cls.operands, *cls.arguments)
        cls.tensor_args = dict.fromkeys(cls.operands, "A tensor.")

    @classmethod
    def title(cls) -> str:
        return snake_case(cls.__name__)

    @classmethod
    def folds(cls) -> Callable[..., float] | None:
        """What the function is of compile-time numbers, or None where it takes tensors alone."""
        return None

    def keras(self, k: KerasCall, *operands: Any, **tensors: Any) -> Code:
        """`keras.ops.name(operands, argument=…)`, with the arguments that differ from their defaults."""
        return code.call(f"keras.ops.{self.title()}", *operands, **self.changed())

    def changed(self) -> dict[str, object]:
        """The arguments that differ from their defaults."""
        return {
            argument.name: getattr(self, argument.name)
            for argument in self.arguments.values()
            if argument.required or getattr(self, argument.name) != argument.default
        }


class Operator(Function):
    """A function that is written as a sign between its operands, or in front of one."""

    operands: ClassVar[tuple[str, ...]] = ("x1", "x2")
    numbers = True

    @classmethod
    def title(cls) -> str:
        return cls.aliases[0]


def misfit(message: str, operand: str, *positions: int, code: str = "NN0302", help: str | None = None) -> ShapeError:
    """An error at `operand`, with the types of the operands at `positions`. In `help`, `{0}` is what the file has as
    the first operand."""
    return ShapeError(message, code=code, argument=operand, inputs=positions, help=help)


def written(cls: type[Function]) -> str:
    """`clip(x, x_min, x_max)`, with defaults."""
    parts = []
    for name in cls.signature:
        argument = cls.arguments.get(name)
        given = "" if argument is None or argument.required else f"={spell(argument.default)}"
        parts.append(f"{name}{given}")
    return f"{cls.title()}({', '.join(parts)})"
