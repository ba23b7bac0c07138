"""The names that a body has, from its statements alone: at once, also in a file of thousands of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from nndsl.ide.analysis import Analysis
from nndsl.ide.caret import Caret
from nndsl.passes.resolve import find_constants
from nndsl.syntax import ast
from nndsl.syntax.lexer import Token


@dataclass
class Names:
    """Names by what they stand for. `values` flow; `known` are values at compile time, with a word for each."""

    values: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    dimensions: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)  # parameters that may be layers


def names_at(analysis: Analysis, container: ast.ModelDef | ast.BlockDef | None, caret: Caret) -> Names:
    """The names at a caret in a body, or at the top of the file."""
    found = Names()
    for statement in analysis.tree.body:
        if isinstance(statement, ast.ParamDef):
            found.known[statement.name.text] = "param"
    if container is None:
        return found
    if isinstance(container, ast.BlockDef):
        found.known.update((p.name.text, "parameter") for p in container.parameters)
        found.layers = [p.name.text for p in container.parameters if p.default is None]
    constants = find_constants(container, found.known)
    for statement in container.body:
        if not (isinstance(statement, ast.OutputStmt) and statement.name.span.start == caret.start):
            _add(found, statement, constants)
    for frame in caret.stack:
        if frame.word == "repeat":
            found.known.update((name, "repeat") for name in _bound(analysis, frame.head))
    return found


def _add(found: Names, statement: ast.Stmt, constants: set[str]) -> None:
    match statement:
        case ast.AssignStmt(targets=targets):
            for target in targets:
                if target.text in constants:
                    found.known[target.text] = "constant"
                elif target.text != "_":
                    found.values[target.text] = "value"
        case ast.InputStmt(name=name, dims=dims):
            found.values[name.text] = "input"
            for dim in dims or ():
                if isinstance(dim.value, ast.NameRef) and dim.value.name not in found.known:
                    found.dimensions.append(dim.value.name)
        case ast.OutputStmt(name=name, value=value):
            found.outputs.append(name.text)
            if value is not None:
                found.values[name.text] = "output"
        case ast.SharedStmt(name=name):
            found.shared.append(name.text)
        case ast.WeightStmt(name=name, trainable=trainable):
            found.values[name.text] = "weight" if trainable else "state"
            if not trainable:
                found.states.append(name.text)
        case ast.ErrorStmt(declares=declared, span=span):
            word = span.text.split(None, 1)[0] if declared else ""
            if word == "shared":
                found.shared += [name.text for name in declared]
            elif word not in ("submodel", "penalty"):
                found.values.update((name.text, "value") for name in declared)


def _bound(analysis: Analysis, head: list[Token]) -> Iterator[str]:
    """The names that `repeat … in` binds, where its brace is open."""
    types = [token.type for token in head]
    if "REPEAT" in types and "IN" in types:
        start, end = head[types.index("REPEAT")], head[len(types) - 1 - types[::-1].index("IN")]
        yield from re.findall(r"[A-Za-z_]\w*", analysis.source.text[start.end : end.start])
