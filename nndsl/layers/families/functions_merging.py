"""Functions that merge: add, subtract, multiply, average, dot.

They are Keras's own functional spellings of its merging layers, with the layers' shapes and masks.
"""

from __future__ import annotations

from typing import Any, ClassVar

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.base import Code
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.families import merging
from nndsl.layers.families.merging import in_safe_order
from nndsl.layers.function import Function, misfit
from nndsl.layers.shapes import Check, ShapeError


class Merging(Function):
    """Base of the functions that are a merging layer on their operands."""

    operands = ("inputs",)
    several = "inputs"
    spread = True
    layout: ClassVar[Any] = "any"
    merge: ClassVar[str]  # the layer's name

    def layer(self) -> Any:
        return make("layer", self.merge, **{name: getattr(self, name) for name in self.arguments})

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        layer = self.layer()
        least, most = layer.arity
        if len(inputs) < least or (most is not None and len(inputs) > most):
            wanted = "two tensors" if most == 2 else "two tensors or more"
            raise misfit(f"`{self.title()}` takes {wanted}, and gets {len(inputs)}", "inputs.0", 0, code="NN0212",
                         help=f"write `{self.title()}(a, b)`")  # fmt: skip
        for position, x in enumerate(inputs):
            if not x.batched:
                raise misfit(f"`{self.title()}` takes a value of each sample, and this is one for all",
                             f"inputs.{position}", position, code="NN0314",
                             help="operators take both: `a + b`, `a * b`")  # fmt: skip
        try:
            result: TensorType = layer.infer(check, *inputs)
        except ShapeError as error:
            error.message = error.message.replace(f"`{self.merge}`", f"`{self.title()}`")
            error.argument = error.argument or f"inputs.{error.inputs[-1]}"
            raise
        return result

    def result_mask(self, *masks: bool) -> bool:
        return bool(self.layer().result_mask(*masks))

    def torch_mask(self, t: TorchCall, *inputs: code.Expr) -> code.Expr | None:
        found: code.Expr | None = self.layer().torch_mask(t, *inputs)
        return found

    def torch(self, t: TorchCall, *inputs: code.Expr) -> Code:
        result: Code = self.layer().torch(t, *inputs)
        return result

    def keras(self, k: KerasCall, *inputs: code.Expr) -> code.Expr:
        return code.call(f"layers.{self.title()}", list(inputs), **self.changed())


class Summing(Merging):
    """Base of those that Keras does with `ops.add`."""

    def keras(self, k: KerasCall, *inputs: code.Expr) -> code.Expr:
        return super().keras(k, *in_safe_order(k, inputs))


@entry("function")
class Add(Summing):
    """Sum of two tensors or more, element by element, as the layer `Add` has it; `a + b` also takes numbers.

    Example:
        add(a, b)
    """

    merge = "Add"


@entry("function")
class Subtract(Merging):
    """The first tensor minus the second, element by element, as the layer `Subtract` has it; `a - b` also takes
    numbers.

    Example:
        subtract(a, b)
    """

    merge = "Subtract"


@entry("function")
class Multiply(Merging):
    """Product of two tensors or more, element by element, as the layer `Multiply` has it; `a * b` also takes numbers.

    Example:
        multiply(x, gate)
    """

    merge = "Multiply"
    uses_mask = True


@entry("function")
class Average(Summing):
    """Mean of two tensors or more, element by element, as the layer `Average` has it.

    Example:
        average(a, b)
    """

    merge = "Average"


@entry("function")
class Dot(Merging):
    """Dot product over one axis of each of two tensors, as the layer `Dot` has it.

    Example:
        dot(a, b, axes=1)
    """

    merge = "Dot"
    layout = "declared"
    axes = arg(
        merging.Dot.arguments["axes"].kind,
        "The axis to sum over; two of them, for the first and the second tensor; 0 is the batch axis, -1 the last.",
    )
    normalize = arg(
        merging.Dot.arguments["normalize"].kind,
        "Whether both are scaled to length 1 along the axis before.",
        False,
    )
