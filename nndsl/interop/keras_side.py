"""What a process does that runs an emitted Keras program: finds the model's variables by their canonical names.

It runs in a worker of its own, next to the program, and imports nothing of the compiler: the layout of the model comes
as plain data (`nndsl.passes.weight_layout.plain`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np


def find_variables(model: keras.Model, layout: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The model's variables by canonical path ("dense/kernel"), in the layout's order.

    Raises LookupError where a layer of the layout is missing or has other weights than it says: a bug of the compiler.
    """
    found: dict[str, Any] = {}
    layers: dict[str, Any] = {}
    for held in _all(model):
        layers.setdefault(held.name, held)
    for layer in layout:
        held = layers.get(layer["path"])
        variables = list(held.weights) if held is not None else []
        shapes = [tuple(variable.shape) for variable in variables]
        expected = [tuple(weight["shape"]) for weight in layer["weights"]]
        if shapes != expected:
            raise LookupError(f"layer {layer['path']} of the Keras program has {shapes}, and should have {expected}")
        found |= {weight["path"]: variable for weight, variable in zip(layer["weights"], variables, strict=True)}
    return found


def read(variables: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The values by canonical path."""
    return {path: np.asarray(keras.ops.convert_to_numpy(variable)) for path, variable in variables.items()}


def assign(model: keras.Model, variables: Mapping[str, Any], values: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Gives the variables the values; layers that compute with copies of theirs make these anew."""
    for path, variable in variables.items():
        variable.assign(values[path])
    for layer in _all(model):
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def begin_anew() -> None:
    """Has Keras forget what a program has told it, as in a new process: its float type, which layers keep to from the
    first one on, and the names that are taken."""
    keras.config.set_floatx("float32")
    keras.backend.clear_session()


def _all(model: Any) -> Iterator[Any]:
    """The layers of the model and of those inside of it: a shared block, a block for each step."""
    for layer in getattr(model, "layers", None) or [model.layer]:
        if isinstance(layer, keras.Model):
            yield from _all(layer)
        else:
            yield layer
            if isinstance(layer, keras.layers.TimeDistributed):
                yield from _all(layer)
