"""What a process does that runs an emitted Keras program: finds the model's variables by their canonical names.

Most of its users run in a worker of their own, next to the program: the layout of the model and what its optimizer
keeps come as plain data (`nndsl.passes.weight_layout.plain`, `nndsl.interop.optimizer_names.plan`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from nndsl.interop.optimizer_names import in_order


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


def find_state(model: keras.Model, variables: Mapping[str, Any], plan: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The variables of the model's optimizer, which must be built, by canonical name: several may have one. `plan` is
    that of `optimizer_names`, `variables` what `find_variables` gave."""
    paths = {id(variable): path for path, variable in variables.items()}
    names = in_order(plan, [paths[id(variable)] for variable in model.trainable_variables])
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # one that scales losses is around it
    return [(name, held) for name, held in zip(names, variables_of(optimizer), strict=True) if name is not None]


def variables_of(optimizer: Any) -> list[Any]:
    """All that an optimizer keeps, in the order of Keras. One that scales losses builds the one inside of it
    untracked, and Keras then forgets what Nadam keeps once, and what Adafactor has in the place of averages of small
    weights."""
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return [*optimizer._variables, *variables_of(inner)]
    if hasattr(optimizer, "optimizers"):  # a MultiOptimizer
        return [*optimizer._variables, *(held for part in optimizer.optimizers for held in variables_of(part))]
    found = list(optimizer.variables)
    places = {id(held): place for place, held in enumerate(found)}
    if isinstance(optimizer, keras.optimizers.Nadam) and optimizer.built and id(optimizer._u_product) not in places:
        found.append(optimizer._u_product)
    if isinstance(optimizer, keras.optimizers.Adafactor) and optimizer.built:
        for rows, columns, squares in reversed(list(zip(optimizer._r, optimizer._c, optimizer._v, strict=True))):
            if id(rows) not in places:
                found[places[id(squares)] : places[id(squares)]] = [rows, columns]
    return found


def read(variables: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The values by canonical path."""
    return {path: value_of(variable) for path, variable in variables.items()}


def value_of(variable: Any) -> np.ndarray[Any, Any]:
    """A copy of what a variable of Keras holds."""
    return np.array(variable.value.numpy())


def assign(model: keras.Model, variables: Mapping[str, Any], values: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Gives the variables the values; layers that compute with copies of theirs make these anew."""
    for path, variable in variables.items():
        variable.assign(values[path])
    finalize(model)


def finalize(model: keras.Model) -> None:
    """Layers that compute with copies of their variables make these anew."""
    for layer in _all(model):
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def states(model: keras.Model) -> list[Any]:
    """The variables in which stateful layers keep what goes from batch to batch."""
    found = [
        state
        for layer in model._flatten_layers(include_self=False)  # those in layers around others too
        if getattr(layer, "stateful", False) and getattr(layer, "states", None) is not None
        for state in keras.tree.flatten(layer.states)
    ]
    return list({id(state): state for state in found}.values())


def reset_states(model: keras.Model) -> None:
    """Stateful layers forget. Their own `reset_state` does not take the nested states of several cells."""
    for state in states(model):
        state.assign(keras.ops.zeros_like(state))


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
