"""What to do about a value that does not suit its argument, where the argument's kind does not say it itself."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from nndsl.layers import catalogue, foreign
from nndsl.layers.entry import Arg, Entry, Kind
from nndsl.layers.kinds import Bool, Either, Float, Int, Maybe, PerAxis
from nndsl.layers.values import Option

_NUMBER = re.compile(r"-?\d+(\.\d*)?")
_TRUE = ("yes", "on", "True", "true", "TRUE")
_FALSE = ("no", "off", "False", "false", "FALSE")
Remedy = tuple[str, tuple[str, str] | None]
"""The help, and (title of a fix, new text of the value)."""


def remedy(cls: type[Entry], argument: Arg, value: object, named: bool, values: Collection[str]) -> Remedy:
    """`named`: whether the argument is given by its name; `values`: the names of the model's values."""
    kind = _inner(argument.kind)
    found = _of_name(cls, kind, value, values) if isinstance(value, Option) else _of_value(argument.name, kind, value)
    if found is not None:
        return found
    meaning = f"`{argument.name}` is: {_sentence(argument.doc)}"
    names = list(cls.arguments)
    if not named and isinstance(value, int) and cls.title()[-2:] in ("2D", "3D") and names[1:2] == [argument.name]:
        rank = int(cls.title()[-2])
        sizes = ", ".join([str(value)] * rank)
        return f"`{names[0]}` is one argument: `({sizes})` gives a number for each of the {rank} axes", None
    if not named and len(cls.arguments) > 1:
        order = ", ".join(f"`{name}`" for name in list(cls.arguments)[:4])
        more = ", …" if len(cls.arguments) > 4 else ""
        return f"without names the arguments of `{cls.title()}` are {order}{more}; {meaning}", None
    return meaning, None


def setting_remedy(name: str, kind: Kind[Any], doc: str, value: object) -> Remedy:
    """The same for a setting of the `train` section."""
    kind = _inner(kind)
    found = None
    if isinstance(value, Option):
        found = _truth(value.name) if isinstance(kind, Bool) else None
    else:
        found = _of_value(name, kind, value)
    return found or (f"`{name}` says: {_sentence(doc)}", None)


def _sentence(doc: str) -> str:
    """The first sentence of an argument's documentation, as a part of another."""
    first = doc.split(". ")[0].rstrip(".")
    return first[0].lower() + first[1:] if first[1:2].islower() or first[1:2] == " " else first


def _inner(kind: Kind[Any]) -> Kind[Any]:
    while isinstance(kind, Maybe):
        kind = kind.kind
    if isinstance(kind, Either):
        numbers: list[Kind[Any]] = [inner for inner in kind.kinds if isinstance(inner, Float | Int)]
        return numbers[0] if numbers else kind
    return kind


def _change(text: str) -> tuple[str, str]:
    return f"change to `{text}`", text


def _of_name(cls: type[Entry], kind: Kind[Any], value: Option, values: Collection[str]) -> Remedy | None:
    name = value.name
    if name in values:
        several = getattr(cls, "arity", (1, 1))[1] != 1
        call = f"(…, {name}) -> {cls.title()}()" if several else f"{name} -> {cls.title()}(…)"
        return (
            f"`{name}` is a value of the model, known only when the program runs: it flows in from the left, `{call}`"
            if cls.category == "layer"
            else f"`{name}` is a value of the model, known only when the program runs",
            None,
        )
    if isinstance(kind, Bool):
        return _truth(name)
    if not isinstance(kind, Int | Float | PerAxis):
        return None
    if "activation" in cls.arguments and catalogue.find("activation", name):
        return f"write `activation={name}`", None
    return f"nothing that is known here is called `{name}`: write the number itself", None


def _truth(word: str) -> Remedy | None:
    if word in _TRUE:
        return "write `true`", _change("true")
    if word in _FALSE:
        return "write `false`", _change("false")
    return None


def _of_value(name: str, kind: Kind[Any], value: object) -> Remedy | None:
    if isinstance(kind, Bool):
        if value in (0, 1):
            return _truth("true" if value else "false")
        return _truth(value) if isinstance(value, str) else None
    if isinstance(value, str) and isinstance(kind, Int | Float | PerAxis) and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
        return f"write it without quotes: `{text}`", _change(text)
    if isinstance(kind, PerAxis):
        return _per_axis(kind, value)
    same = foreign.equivalent(name, value) if isinstance(value, str) else None
    if same is not None:
        return f"here it is `{same}`", _change(same)
    if isinstance(kind, Float) and kind.high == 1 and isinstance(value, int | float) and 1 < value <= 100:
        share = f"{value / 100:g}"
        return f"for {value:g} % write `{share}`", _change(share)
    if name == "padding" and isinstance(value, int):
        return (
            "`same` pads so that the size stays (strides aside), `valid` not at all; a `ZeroPadding` layer in "
            "front adds as many zeros as it says",
            None,
        )
    return None


def _per_axis(kind: PerAxis, value: object) -> Remedy | None:
    if isinstance(value, str):
        parts = re.findall(r"\d+", value)
        if len(parts) == kind.rank:
            text = f"({', '.join(parts)})" if kind.rank > 1 else parts[0]
            return f"write `{text}`", _change(text)
    if isinstance(value, tuple | list) and len(value) != kind.rank:
        every = "both axes" if kind.rank == 2 else f"all {kind.rank} axes"
        sizes = "one size" if kind.rank == 1 else f"one size for {every}, or {kind.rank} of them"
        if value and all(item == value[0] and isinstance(item, int) for item in value):
            text = str(value[0])
            return f"it takes {sizes}: write `{text}`", _change(text)
        return f"it takes {sizes}", None
    return None
