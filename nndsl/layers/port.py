"""Where a value enters or leaves a call of a block: it passes on what comes in."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer
from nndsl.layers.build import default_of
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.shapes import Check


class Port(Layer):
    """Not in the catalogue: no file can name it."""

    category = "layer"
    layout = "any"
    name, trainable = None, True

    def infer(self, check: Check, x: TensorType) -> TensorType:
        return x

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        return x

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return x


PORT = Port({}, default_of)
