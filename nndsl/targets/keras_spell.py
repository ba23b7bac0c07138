"""How Keras spells a catalogue entry: its own name, and the arguments that differ from Keras's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nndsl import code
from nndsl.layers.base import Layer
from nndsl.layers.build import default_of
from nndsl.layers.catalogue import spelling
from nndsl.layers.emit_keras import OMIT
from nndsl.layers.entry import Arg, Entry
from nndsl.layers.families.activations import Activation
from nndsl.layers.kinds import Maybe, PerAxis
from nndsl.layers.traced import Traced, as_default, plain

_MODULES = {
    "layer": "layers",
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "loss": "keras.losses",
    "metric": "keras.metrics",
    "optimizer": "keras.optimizers",
    "optimizer_map": "keras.optimizers",
    "schedule": "keras.optimizers.schedules",
    "callback": "keras.callbacks",
}
_BY_NAME = ("initializer",)  # written as a string where there are no arguments


def spell(entry: Entry, name: str | code.Expr | None = None, changed: Mapping[str, object] | None = None) -> code.Expr:
    """`layers.Dense(64, activation="relu", name="head")`; `changed` replaces arguments by values, code or OMIT."""
    if isinstance(entry, Activation):
        return entry.keras()
    by_name = entry.category in _BY_NAME and entry.title() != "Constant"  # which Keras cannot make from its name
    if by_name and not entry.given and not changed:
        return code.Literal(spelling(type(entry)))
    positional: list[code.Expr] = []
    keywords: list[tuple[str, code.Expr]] = []
    for argument in entry.arguments.values():
        if argument.at_call:
            continue  # written where the layer is called
        value = (changed or {}).get(argument.name, getattr(entry, argument.name))
        if value is OMIT or (argument.name == "data_format" and argument.name not in (changed or {})):
            continue
        if argument.required and not keywords:
            positional.append(value_code(value, argument))
        elif not _is_default(value, argument):
            keywords.append((argument.name, value_code(value, argument)))
        elif isinstance(_first(value), Traced):  # other calls of the same block may have another value
            keywords.append((argument.name, code.Literal(as_default(_first(value)))))  # type: ignore[arg-type]
    if isinstance(entry, Layer):
        if not entry.trainable and (changed or {}).get("trainable") is not OMIT:
            keywords.append(("trainable", code.Literal(False)))
        if name:
            keywords.append(("name", code.lift(name)))
    return code.Call(code.dotted(f"{_MODULES[entry.category]}.{entry.title()}"), tuple(positional), tuple(keywords))


def value_code(value: Any, argument: Arg | None = None) -> code.Expr:
    """A checked value as code."""
    if isinstance(value, Layer):
        return spell(value, value.path.rpartition(".")[2] if hasattr(value, "path") else None)
    if isinstance(value, Entry):
        return spell(value)
    if isinstance(value, tuple) and argument is not None and isinstance(_inner(argument), PerAxis):
        return code.lift(value[0]) if len(set(value)) == 1 else code.lift(value)
    if isinstance(value, tuple):
        return code.Tuple(tuple(value_code(item) for item in value))
    if isinstance(value, list):
        return code.List(tuple(value_code(item) for item in value))
    if isinstance(value, dict):
        return code.Dict(tuple((value_code(k), value_code(v)) for k, v in value.items()))
    return code.lift(value)


def _first(value: object) -> object:
    return value[0] if isinstance(value, tuple) and value and len(set(value)) == 1 else value


def _inner(argument: Arg) -> object:
    return argument.kind.kind if isinstance(argument.kind, Maybe) else argument.kind


def _is_default(value: object, argument: Arg) -> bool:
    default = default_of(argument)
    if isinstance(value, Entry) and isinstance(default, Entry):
        return type(value) is type(default) and not value.given
    if isinstance(_inner(argument), PerAxis) and isinstance(default, int) and isinstance(value, tuple):
        return set(value) == {default}
    value = plain(value)
    return type(value) is type(default) and value == default
