"""What can be called, with its parameters: layers, functions and options of the catalogue, blocks, shared layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nndsl.ide.analysis import Analysis
from nndsl.ide.symbols import Symbol
from nndsl.layers import catalogue, docs
from nndsl.layers.entry import Arg, Entry, Kind
from nndsl.layers.function import Function, Operator
from nndsl.layers.kinds import Bool, Either, ListOf, Maybe, Of, Text
from nndsl.syntax import ast

VALUE = "a value of the model"
_NAME = "Its name, which is part of its identity."
_TRAINABLE = "`false` keeps its weights as they are."


@dataclass(frozen=True, eq=False)
class Parameter:
    """One parameter. `kind` is None where any value will do; `is_tensor` takes values of the model. `default` is text
    as a file has it, "" where it must be given. `by_name`: it cannot be given by position."""

    name: str
    kind: Kind[Any] | None = None
    default: str = ""
    doc: str = ""
    is_tensor: bool = False
    by_name: bool = False
    required: bool = False

    @property
    def takes(self) -> str:
        """What it takes, in words; Markdown."""
        return VALUE if self.is_tensor else "" if self.kind is None else self.kind.describe()

    @property
    def label(self) -> str:
        return f"{self.name}={self.default}" if self.default else self.name


@dataclass(frozen=True, eq=False)
class Callee:
    """`category` is one of the catalogue's, or "block" (a block or layer of one's own) or "shared"."""

    name: str
    category: str
    entry: type[Entry] | None = None
    symbol: Symbol | None = None
    made: Callee | None = None  # of a shared layer: what makes it

    @cached_property
    def parameters(self) -> list[Parameter]:
        if self.category == "shared":
            return [] if self.made is None else self.made._at_a_call()
        if self.entry is not None:
            return list(_of_entry(self.entry))
        definition = self.symbol.statement if self.symbol is not None else None
        return _of_block(definition) if isinstance(definition, ast.BlockDef) else []

    def _at_a_call(self) -> list[Parameter]:
        """What a call of the layer may still say, once it is shared."""
        if self.entry is None:
            return [p for p in self.parameters if p.is_tensor]
        later = [p.name for p in self.entry.arguments.values() if p.at_call]
        return [p for p in self.parameters if p.is_tensor or p.name in later]

    @property
    def positional(self) -> list[Parameter]:
        return [] if self.category == "shared" else [p for p in self.parameters if not p.by_name]

    def parameter(self, name: str) -> Parameter | None:
        return next((p for p in self.parameters if p.name == name), None)

    @property
    def required(self) -> list[Parameter]:
        return [p for p in self.parameters if p.required]


def _argument(argument: Arg, *, by_name: bool = False) -> Parameter:
    default = "" if argument.required else docs.default_text(argument)
    return Parameter(argument.name, argument.kind, default, argument.doc, by_name=by_name, required=argument.required)


def _of_entry(cls: type[Entry]) -> Sequence[Parameter]:
    if issubclass(cls, Function):
        found = []
        for name in cls.signature:
            argument = cls.arguments.get(name)
            if argument is None:
                found.append(Parameter(name, doc="A tensor.", is_tensor=True, required=True))
            else:
                found.append(_argument(argument))
        return found
    tensors: dict[str, str] = getattr(cls, "tensor_args", {})
    common: dict[str, Arg] = getattr(cls, "common", {})
    return [
        *(_argument(argument) for argument in cls.arguments.values()),
        *(Parameter(name, doc=doc, is_tensor=True, by_name=True) for name, doc in tensors.items()),
        *(_argument(argument, by_name=True) for name, argument in common.items() if name not in cls.arguments),
    ]


def _of_block(definition: ast.BlockDef) -> list[Parameter]:
    found = [
        Parameter(p.name.text, default="" if p.default is None else one_line(p.default.span.text),
                  doc="A parameter of the block." if not definition.is_layer else "A parameter of the layer.",
                  required=p.default is None)
        for p in definition.parameters
    ]  # fmt: skip
    names = {p.name for p in found}
    found += [
        Parameter(s.name.text, doc="An input, which else flows in from the left.", is_tensor=True, by_name=True)
        for s in definition.inputs
        if s.name.text not in names
    ]
    names |= {p.name for p in found}
    if "name" not in names:
        found.append(Parameter("name", Text(), "none", _NAME, by_name=True))
    if definition.is_layer and "trainable" not in names:
        found.append(Parameter("trainable", Bool(), "true", _TRAINABLE, by_name=True))
    return found


def one_line(text: str, most: int = 80) -> str:
    """Text of the file on one line, shortened."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


# --------------------------------------------------------------------------------------------- finding


def of_entry(category: str, name: str) -> Callee | None:
    cls = catalogue.find(category, name)
    return None if cls is None or issubclass(cls, Operator) else Callee(name, category, cls)


def own(analysis: Analysis, name: str) -> Callee | None:
    """A block or layer of the file, or one that it imports."""
    symbol = analysis.definition(name)
    return None if symbol is None else Callee(name, "block", symbol=symbol)


def maker(analysis: Analysis, name: str) -> Callee | None:
    """What `name(…)` makes where a layer is meant."""
    return of_entry("layer", name) or own(analysis, name)


def shared(analysis: Analysis, container: ast.ModelDef | ast.BlockDef | None, name: str) -> Callee | None:
    """The shared layer of that name in a body."""
    for statement in container.body if container is not None else ():
        if isinstance(statement, ast.SharedStmt) and statement.name.text == name:
            call = statement.value
            made = maker(analysis, call.func.text) if isinstance(call, ast.CallExpr) else None
            symbol = Symbol("shared", name, statement.name.span, statement, container)
            return Callee(name, "shared", symbol=symbol, made=made)
    return None


def categories(kind: Kind[Any] | None) -> list[str]:
    """The parts of the catalogue that a kind of argument takes entries of."""
    match kind:
        case Of():
            return [kind.category]
        case Maybe() | ListOf():
            return categories(kind.kind)
        case Either():
            return [category for inner in kind.kinds for category in categories(inner)]
    own = getattr(kind, "category", None)
    return [] if own is None else [own]
