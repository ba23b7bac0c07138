"""What the `keras` methods of a layer work with: the counterpart of `TorchCall`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nndsl import code
from nndsl.ir.types import TensorType

if TYPE_CHECKING:
    from nndsl.layers.base import Layer


class KerasCall:
    """One call of one layer in the Keras program being written.

    `last` says that the code works on channels-last tensors although the file has channels first. `attended` says that
    a MultiHeadAttention elsewhere in the model takes one of the masked inputs as well: Keras 3.15 takes the masks off
    its inputs when it runs, so that layers of several inputs must be given theirs.
    """

    def __init__(
        self,
        layer: Layer,
        inputs: tuple[TensorType, ...],
        *,
        name: str | code.Expr,
        last: bool = False,
        tensors: Mapping[str, Any] | None = None,
        variable: str | None = None,
        spell: Any = None,
        helpers: dict[str, None] | None = None,
        attended: bool = False,
        held: Any = None,
        uses: tuple[tuple[TensorType, ...], ...] = (),
        results: tuple[TensorType, ...] = (),
    ) -> None:
        self.results = results
        self.layer, self.inputs, self.name, self.last, self.attended = layer, inputs, name, last, attended
        self.tensors = dict(tensors or {})
        self.variable = variable  # the variable that holds a shared layer, already built
        self.helpers = {} if helpers is None else helpers  # those that the program needs, in order of first use
        self.spell = spell  # the target's function: checked value → code
        self.held = held  # and the one that makes a model of a block which another layer holds
        self.uses = uses or (inputs,)  # what flows into a shared layer at each of its calls

    def axis(self, axis: int) -> int:
        """An axis of the file as an axis of the channels-last tensor at hand."""
        rank = self.inputs[0].rank
        position = axis + rank if axis < 0 else axis
        if not self.last or position == 0:
            return axis
        return -1 if position == 1 else position - 1

    def helper(self, name: str) -> code.Name:
        """A class of templates/keras/helpers/<name>.py, which the file will carry."""
        self.helpers[name] = None
        return code.Name(name)

    def call(self, layer: Layer, /, *inputs: code.Expr, **changed: object) -> code.Expr:
        """`layers.Name(arguments, name=…)(inputs)`; `changed` replaces arguments (a value, or OMIT)."""
        args: object = inputs[0] if len(inputs) == 1 else list(inputs)
        return self.spread(layer, args, **changed)

    def spread(self, layer: Layer, /, *inputs: object, **changed: object) -> code.Expr:
        """As `call`, for a layer that takes its inputs one by one, not in a list."""
        built = code.Name(self.variable) if self.variable else self.build(layer, **changed)
        options = {
            name: getattr(layer, name)
            for name, argument in layer.arguments.items()
            if argument.at_call and getattr(layer, name) != argument.default
        }
        return code.call(built, *inputs, **self.tensors, **options)

    def masks(self, inputs: Sequence[code.Expr]) -> list[code.Expr | None]:
        """The masks of the inputs, spelled out where Keras may lose them, else nothing."""
        if not self.attended:
            return [None] * len(inputs)
        return [
            code.Attr(x, "_keras_mask") if type_.mask else None for x, type_ in zip(inputs, self.inputs, strict=False)
        ]

    def build(self, layer: Layer, /, **changed: object) -> code.Expr:
        """`layers.Name(arguments, name=…)`."""
        return layer.keras_spelled(self, self.spell(layer, self.name, changed))


OMIT = object()
