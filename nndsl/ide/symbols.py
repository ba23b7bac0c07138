"""Names of a file: what defines each, and every place that means it. Works on the syntax tree alone, so that it answers
while the file is broken; the order in which a name is looked up is that of the compiler (passes/resolve, evaluate)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nndsl.layers import catalogue
from nndsl.passes.resolve import find_constants
from nndsl.source import SourceFile, Span
from nndsl.syntax import ast
from nndsl.syntax.walk import children, walk

_AT_COMPILE_TIME = ("param", "parameter", "repeat", "constant")
_CALLED = ("block", "layer", "import", "shared")

Container = ast.ModelDef | ast.BlockDef


@dataclass(eq=False)
class Symbol:
    """One thing that a name stands for. `kind` is a word that people use for it; `span` is the name where it is
    defined, `statement` what defines it, `container` the model or block around it (None: the file itself)."""

    kind: str
    name: str
    span: Span
    statement: object
    container: Container | None = None
    inner: dict[str, Symbol] = field(default_factory=dict)  # of a block or layer: its parameters and inputs

    @property
    def key(self) -> tuple[SourceFile, int]:
        """The same for every object that stands for this symbol: files are analysed anew when they change."""
        return self.span.file, self.span.start

    @property
    def is_global(self) -> bool:
        """Whether other files may import it."""
        return self.kind in ("block", "layer")


@dataclass(frozen=True, eq=False)
class Occurrence:
    """A place that means a symbol."""

    span: Span
    symbol: Symbol
    is_definition: bool = False


@dataclass(eq=False)
class Names:
    """The names of one body, or of the file (`container` None)."""

    container: Container | None
    symbols: dict[str, Symbol] = field(default_factory=dict)


def own_symbols(tree: ast.File) -> dict[str, Symbol]:
    """The blocks and layers that a file defines, each with its parameters and inputs."""
    found: dict[str, Symbol] = {}
    for statement in tree.body:
        if isinstance(statement, ast.BlockDef) and statement.name.text not in found:
            name = statement.name
            symbol = Symbol("layer" if statement.is_layer else "block", name.text, name.span, statement)
            found[name.text] = symbol
            for kind, items in (("parameter", statement.parameters), ("input", statement.inputs)):
                for item in items:
                    inner = Symbol(kind, item.name.text, item.name.span, item, statement)
                    symbol.inner.setdefault(item.name.text, inner)
    return found


Exports = Callable[[ast.ImportDef], Mapping[str, Symbol] | None]
"""The blocks and layers of the file that an import names; None where it cannot be had."""


class Symbols:
    """The symbols of one file, and where they stand."""

    def __init__(self, tree: ast.File, own: Mapping[str, Symbol], exports: Exports = lambda _: None) -> None:
        self.tree = tree
        self.file_names = Names(None)
        self.bodies: list[Names] = []
        self.occurrences: list[Occurrence] = []
        self.own = own
        self._globals(exports)
        params = [name for name, symbol in self.file_names.symbols.items() if symbol.kind == "param"]
        containers = [s for s in tree.body if isinstance(s, ast.ModelDef | ast.BlockDef)]
        bodies = [_Body(self, container, params) for container in containers]
        for body in bodies:
            body.declare()
        for body in bodies:
            body.walk()
        for statement in tree.body:
            if isinstance(statement, ast.ParamDef):
                walk = _Body(self, None, params)
                walk.arguments(statement.value)
                walk.options(statement.options)
        self.occurrences.sort(key=lambda o: (o.span.start, o.span.end))
        self._starts = [o.span.start for o in self.occurrences]

    def _globals(self, exports: Exports) -> None:
        for statement in self.tree.body:
            match statement:
                case ast.ModelDef(name=name):
                    self.define(self.file_names, "model", name, statement)
                case ast.BlockDef(name=name):
                    self.file_names.symbols.setdefault(name.text, self.own[name.text])
                    self.define(self.file_names, "block", name, statement)
                case ast.ParamDef(name=name):
                    self.define(self.file_names, "param", name, statement)
        for statement in self.tree.body:
            if isinstance(statement, ast.ImportDef):
                found = exports(statement)
                for name in statement.names:
                    symbol = (found or {}).get(name.text)
                    if symbol is None:
                        symbol = Symbol("import", name.text, name.span, statement)
                    self.file_names.symbols.setdefault(name.text, symbol)
                    self.use(symbol, name.span)

    def define(self, names: Names, kind: str, name: ast.Ident, statement: object) -> Symbol:
        """A definition; a second one of the same name is an error, and means the first."""
        known = names.symbols.get(name.text)
        if known is None:
            known = names.symbols[name.text] = Symbol(kind, name.text, name.span, statement, names.container)
        self.use(known, name.span, is_definition=True)
        return known

    def use(self, symbol: Symbol, span: Span, *, is_definition: bool = False) -> None:
        self.occurrences.append(Occurrence(span, symbol, is_definition))

    def at(self, offset: int) -> Occurrence | None:
        """The name that a position touches, its end included (a caret stands behind a word)."""
        last = bisect_right(self._starts, offset)
        for index in (last - 1, last - 2):
            if 0 <= index < last and self.occurrences[index].span.end >= offset:
                return self.occurrences[index]
        return None


class _Body:
    """Walks over one model or block."""

    def __init__(self, symbols: Symbols, container: Container | None, params: list[str]) -> None:
        self.symbols, self.container = symbols, container
        self.names = symbols.file_names if container is None else Names(container)
        self.loops: list[dict[str, Symbol]] = []  # of the `repeat`s around
        self.params = params
        self.constants: set[str] = set()

    def declare(self) -> None:
        container = self.container
        assert container is not None
        self.symbols.bodies.append(self.names)
        self.constants = find_constants(container, self.params)
        known = self.symbols.own.get(container.name.text)
        if known is not None and known.statement is container:
            self.names.symbols.update(known.inner)
        if isinstance(container, ast.BlockDef):
            for parameter in container.parameters:
                self.symbols.define(self.names, "parameter", parameter.name, parameter)
        for statement in container.body:
            self._declare(statement)

    def walk(self) -> None:
        container = self.container
        assert container is not None
        if isinstance(container, ast.BlockDef):
            for parameter in container.parameters:
                self.arguments(parameter.default)
        for statement in container.body:
            self._statement(statement)

    # ---------------------------------------------------------------------------------- definitions

    def _declare(self, statement: ast.Stmt) -> None:
        define, names = self.symbols.define, self.names
        match statement:
            case ast.InputStmt(name=name):
                define(names, "input", name, statement)
            case ast.OutputStmt(name=name, value=value) if value is not None:
                define(names, "output", name, statement)
            case ast.AssignStmt(targets=targets):
                for target in targets:
                    if target.text != "_":
                        define(names, "constant" if target.text in self.constants else "value", target, statement)
            case ast.SharedStmt(name=name):
                define(names, "shared", name, statement)
            case ast.SubmodelStmt(name=name):
                define(names, "submodel", name, statement)
            case ast.PenaltyStmt(name=name):
                define(names, "penalty", name, statement)
            case ast.WeightStmt(name=name):
                define(names, "weight" if statement.trainable else "state", name, statement)
            case ast.ErrorStmt(declares=declared):
                for name in declared:
                    define(names, "value", name, statement)
            case ast.Section(body=body):
                for inner in body:
                    if isinstance(inner, ast.SourceStmt):
                        define(names, "source", inner.name, inner)

    def _statement(self, statement: ast.Stmt) -> None:
        match statement:
            case ast.InputStmt() | ast.WeightStmt():
                for dim in statement.dims or ():
                    self._dimension(dim)
                if isinstance(statement, ast.WeightStmt):
                    self.arguments(statement.initializer)
                self.options(statement.options)
            case ast.OutputStmt(value=None, name=name):
                self.name(name.text, name.span)
                self.options(statement.options)
            case ast.OutputStmt(value=value) | ast.PenaltyStmt(value=value):
                self.flow(value)
                self.options(statement.options)
            case ast.AssignStmt(value=value) | ast.SharedStmt(value=value):
                self.flow(value)
            case ast.UpdateStmt(name=name, value=value):
                self.name(name.text, name.span)
                self.flow(value)
                self.options(statement.options)
            case ast.SubmodelStmt():
                for name in (*statement.sources, *statement.targets):
                    self.name(name.text, name.span)
            case ast.Section(kind=kind):
                for inner in statement.body:
                    self._setting(kind.text, inner)

    def _setting(self, kind: str, statement: ast.Stmt) -> None:
        match statement:
            case ast.SourceStmt():
                self.arguments(statement.value)
                self.options(statement.options)
            case ast.AssignStmt() if kind == "data":
                for target in statement.targets:
                    self.name(target.text, target.span)
                self.flow(statement.value)
                self._fields(statement.value)
            case ast.AssignStmt():
                self.arguments(statement.value)
                if kind == "train":
                    self._keys(statement.value)

    def _fields(self, expr: ast.Expr) -> None:
        """`made.image` where `made` is `random()`: its fields are the inputs and outputs of the model."""
        for node in walk(expr):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.NameRef):
                source = self.names.symbols.get(node.value.name)
                made = source.statement.value if source and isinstance(source.statement, ast.SourceStmt) else None
                if isinstance(made, ast.CallExpr) and made.func.text == "random":
                    self.name(node.name.text, node.name.span)

    def _keys(self, expr: ast.Expr) -> None:
        """`("mood_dense/.*", SGD())` in an `OptimizerMap`: a key begins with the path of a layer, and that with the
        name of a statement."""
        for node in walk(expr):
            key = node.items[0] if isinstance(node, ast.TupleExpr) and len(node.items) == 2 else None
            if isinstance(key, ast.Literal) and isinstance(key.value, str):
                written = key.span.text[1:]
                fitting = [n for n in self.names.symbols if re.match(rf"{n}(?![A-Za-z0-9])", written)]
                if fitting:
                    name, start = max(fitting, key=len), key.span.start + 1
                    self.name(name, Span(key.span.file, start, start + len(name)))

    def _dimension(self, dim: ast.DimExpr) -> None:
        """A name in a type: a parameter, or a size that the type itself brings in."""
        value = dim.value
        known = self._known(value.name) if isinstance(value, ast.NameRef) else None
        if isinstance(value, ast.NameRef) and known is None:
            self.symbols.define(self.names, "dimension", ast.Ident(value.name, value.span), dim)
        elif known is not None and known.kind == "dimension" and isinstance(value, ast.NameRef):
            self.symbols.use(known, value.span)
        else:
            self.arguments(dim.value)

    # ------------------------------------------------------------------------------------ references

    def _known(self, name: str) -> Symbol | None:
        for loop in reversed(self.loops):
            if name in loop:
                return loop[name]
        return self.names.symbols.get(name) or self.symbols.file_names.symbols.get(name)

    def name(self, name: str, span: Span) -> None:
        symbol = self._known(name)
        if symbol is not None:
            self.symbols.use(symbol, span)

    def options(self, options: tuple[ast.Arg, ...]) -> None:
        """What stands behind `with`."""
        for option in options:
            self.arguments(option.value)

    def arguments(self, expr: ast.Expr | None) -> None:
        """An expression of compile-time values: a bare name there is a parameter, a named number, or an option."""
        match expr:
            case ast.NameRef(name=name, span=span):
                symbol = self._known(name)
                if symbol is not None and symbol.kind in _AT_COMPILE_TIME:
                    self.symbols.use(symbol, span)
            case ast.Attribute(value=ast.NameRef(name=name, span=span)):
                self.name(name, span)  # `x.shape`
            case ast.CallExpr():
                self._call(expr)
            case ast.Flow() | ast.Branch() | ast.Repeat():
                self.flow(expr)
            case ast.Expr():
                for child in children(expr):
                    self.arguments(child)

    def flow(self, expr: ast.Expr | None) -> None:
        """An expression of values: a bare name there is a value or a shared layer."""
        match expr:
            case ast.NameRef(name=name, span=span):
                self.name(name, span)
            case ast.CallExpr():
                self._call(expr)
            case ast.Repeat():
                self.arguments(expr.count)
                inner = {n.text: Symbol("repeat", n.text, n.span, expr, self.container) for n in expr.names}
                for ident in expr.names:
                    self.symbols.use(inner[ident.text], ident.span, is_definition=True)
                self.loops.append(inner)
                self.flow(expr.body)
                self.loops.pop()
            case ast.IfElse():
                self.flow(expr.then)
                self.arguments(expr.condition)
                self.flow(expr.otherwise)
            case ast.Subscript():
                self.flow(expr.value)
                for item in expr.items:
                    for part in (item.index, item.start, item.stop, item.step):
                        self.arguments(part)
            case ast.Expr():
                for child in children(expr):
                    self.flow(child)

    def _call(self, call: ast.CallExpr) -> None:
        name = call.func.text
        known = self._known(name)
        if catalogue.find("layer", name) is None and known is not None and known.kind in _CALLED:
            self.symbols.use(known, call.func.span)
            self._call_of_own(call, known)
            return
        values: tuple[str, ...] | None = None
        cls = catalogue.find("layer", name)
        function = catalogue.find("function", name) is not None
        if cls is not None:
            values = tuple(getattr(cls, "tensor_args", {}))
        for arg in call.args:
            if function or (arg.name is not None and values is not None and arg.name.text in values):
                self.flow(arg.value)
            else:
                self.arguments(arg.value)

    def _call_of_own(self, call: ast.CallExpr, known: Symbol) -> None:
        """The argument names of a block's call are its parameters or its inputs."""
        for arg in call.args:
            target = known.inner.get(arg.name.text) if arg.name is not None else None
            if arg.name is not None and target is not None:
                self.symbols.use(target, arg.name.span)
            if known.kind == "shared" or (target is not None and target.kind == "input"):
                self.flow(arg.value)
            else:
                self.arguments(arg.value)
