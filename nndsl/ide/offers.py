"""What is offered in several kinds of places: statements, layers, and the values that arguments take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nndsl.ide import callees
from nndsl.ide.analysis import Analysis
from nndsl.ide.callees import Callee
from nndsl.ide.expected import Expected
from nndsl.ide.flowing import takes
from nndsl.ide.items import Item, Maker
from nndsl.ide.place import Place
from nndsl.ide.scope import Names, names_at
from nndsl.ir.types import DTYPES
from nndsl.layers import catalogue
from nndsl.layers.entry import Kind, snake_case
from nndsl.layers.kinds import Bool, Choice, Dtype, Either, Float, Int, ListOf, Maybe, PerAxis
from nndsl.source import Span
from nndsl.syntax import ast

_BODY = "{\n    $0\n}"
STATEMENTS = {
    "model": f"model ${{1:Name}} {_BODY}",
    "block": f"block ${{1:Name}}($2) {_BODY}",
    "layer": f"layer ${{1:Name}}($2) {_BODY}",
    "param": "param ${1:name} = ${2:1}",
    "from": 'from "$1" import $2',
    "input": "input ${1:x}: float[$2]",
    "output": "output ${1:y} = $0",
    "shared": "shared ${1:name} = $0",
    "penalty": "penalty ${1:name} = $0",
    "submodel": "submodel ${1:name}($2) = $3",
    "trainable": "trainable ${1:kernel}: [$2] = ${3:glorot_uniform}",
    "state": "state ${1:total}: [$2] = ${3:zeros}",
    "update": "update $0",
    "train": f"train {_BODY}",
    "data": f"data {_BODY}",
    "options": f"options {_BODY}",
    "source": "source ${1:name} = $0",
}
IN_BODIES = {
    "file": ("model", "block", "layer", "param", "from"),
    "model": ("input", "output", "shared", "penalty", "submodel", "train", "data", "options"),
    "block": ("input", "output", "shared", "penalty"),
    "layer": ("input", "output", "trainable", "state", "update"),
    "data": ("source",),
}  # as syntax/places.py allows


_ALWAYS_CALLED = ("schedule", "splitter", "callback", "optimizer_map")


class Offers:
    """The names at one caret."""

    def __init__(self, analysis: Analysis, expected: Expected) -> None:
        self.analysis, self.caret, self.container = analysis, expected.caret, expected.container
        self.make = Maker(Span(analysis.source, self.caret.start, self.caret.end))
        self.names: Names = names_at(analysis, self.container, self.caret)

    def layers(self, incoming: Any = None) -> Iterator[Item]:
        for name in self.analysis.exported():
            callee = callees.own(self.analysis, name)
            if callee is not None:
                yield self.make.called(callee, "block", "1", f"block/{name}", detail="block")
        for name, cls in _layer_classes():
            sort = "2" if takes(cls, incoming) else "6"
            yield self.make.called(Callee(name, "layer", cls), "layer", sort, f"layer/{name}", detail="layer")

    def own_names(self) -> set[str]:
        """The names that the statement at hand defines, which it cannot be made from."""
        frame = next((f for f in reversed(self.caret.stack) if f.word in ("model", "block", "layer")), None)
        if frame is None:
            return set()
        head: list[str] = []
        for token in frame.item:
            if token.type == "EQUAL":
                first = frame.item[0]
                inside = self.analysis.source.text[first.start : first.end] if first.type == "GROUP" else ""
                return {*head, *re.findall(r"\w+", inside)} if frame.item[0].type != "UPDATE" else set()
            head.append(token.text)
        return set()

    def known(self, sort: str) -> Iterator[Item]:
        own = self.own_names()
        for name, kind in self.names.known.items():
            if name not in own:
                yield self.make.plain(name, "parameter", sort, detail=kind)

    def values(self, place: Place) -> Iterator[Item]:
        yield from self.of_kind(place.takes)
        yield from self.known("3")
        parameter = place.callee.parameter(place.of) if place.callee is not None else None
        if place.takes is None and parameter is not None and parameter.default in ("true", "false"):
            yield from self.of_kind(Bool())
        if (place.takes is None and place.callee is None) or self._takes_sizes(place.takes):
            for name, kind in self.names.values.items():
                if kind == "input":
                    yield self.make.size(name)
        if place.takes is None and place.callee is not None:  # an argument of a block may be a layer
            yield from self.layers()

    def _takes_sizes(self, kind: Kind[Any] | None) -> bool:
        """Whether `x.shape[-1]` may be meant: in a block, for a number."""
        kind = kind.kind if isinstance(kind, Maybe) else kind
        is_number = isinstance(kind, Int | Float | PerAxis | Either | ListOf) and not callees.categories(kind)
        return isinstance(self.container, ast.BlockDef) and is_number

    def of_kind(self, kind: Kind[Any] | None, sort: str = "1") -> Iterator[Item]:
        match kind:
            case Maybe():
                yield from self.of_kind(kind.kind, sort)
                yield self.make.plain("none", "keyword", "2")
            case Either():
                for inner in kind.kinds:
                    yield from self.of_kind(inner, sort)
            case ListOf():
                yield from self.of_kind(kind.kind, sort)
            case Bool():
                for word in ("true", "false"):
                    yield self.make.plain(word, "keyword", sort)
            case Choice():
                for name in kind.names:
                    yield self.make.plain(name if name.isidentifier() else f'"{name}"', "option", sort)
            case Dtype():
                for name in ("float", "int", *DTYPES):
                    yield self.make.plain(name, "dtype", sort, about=f"dtype/{name}")
            case _:
                for category in callees.categories(kind):
                    if category == "layer":
                        yield from self.layers()
                    else:
                        yield from self.category(category, sort)

    def category(self, category: str, sort: str) -> Iterator[Item]:
        """The entries of a category: the bare names, and those of classes to be called with arguments."""
        for cls in catalogue.entries(category):
            plain = cls.__name__.lower()
            is_word = category == "optimizer" and plain in cls.aliases  # `rmsprop`
            short = plain if is_word else snake_case(cls.__name__)
            if category in _ALWAYS_CALLED:
                yield self.make.option(cls, cls.__name__, sort)
            elif category == "activation":
                yield self.make.option(cls, short, sort)
            else:
                yield self.make.option(cls, short, sort)
                yield self.make.made(cls, cls.__name__, sort)
            for alias in cls.aliases if category in ("loss", "metric") else ():
                if alias.islower():
                    yield self.make.option(cls, alias, sort)


def _layer_classes() -> list[tuple[str, Any]]:
    found = []
    for cls in catalogue.entries("layer"):
        found += [(name, cls) for name in (cls.__name__, *cls.aliases)]
    return found
