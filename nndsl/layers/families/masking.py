"""Masking: marks the steps of a sequence that count for nothing."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer
from nndsl.layers.emit import TorchCall
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Float
from nndsl.layers.shapes import Check, ShapeError


@entry("layer")
class Masking(Layer):
    """Masks the steps whose features all equal `mask_value`, and sets them to zero.

    Takes [time, features] or more axes; keeps the shape. The mask goes with the value through layers that keep the
    time axis; recurrent layers skip masked steps, and losses leave them out. Source: keras/src/layers/core/masking.py.

    Example:
        x -> Masking(mask_value=-1) -> LSTM(32)
    """

    mask_value = arg(Float(), "The value that all features of a masked step have.", 0.0)

    def infer(self, check: Check, x: TensorType) -> TensorType:
        if x.rank < 3:
            raise ShapeError(
                f"`Masking` takes [time, features], and gets {x}",
                code="NN0301",
                help="a mask says which steps of a sequence count: there is no time axis here",
            )
        if x.dtype == "bool":
            raise ShapeError(
                f"`Masking` sets numbers to zero, and gets {x}",
                code="NN0305",
                help="Keras fails here too: `cast(x, float)` makes numbers of what is true or false",
            )
        return x.with_mask(True)

    def result_mask(self, *masks: bool) -> bool:
        return True

    def torch_mask(self, t: TorchCall, *inputs: code.Expr) -> code.Expr | None:
        return code.method(code.binary("!=", inputs[0], self.mask_value), "any", -1)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if t.mask is not None:
            some: code.Expr = code.method(t.mask, "unsqueeze", -1)
        else:
            some = code.method(code.binary("!=", x, self.mask_value), "any", -1, keepdim=True)
        return code.call("torch.where", some, x, 0.0 if t.inputs[0].is_float else 0)
