"""Giving a name's every place another name, where that changes nothing else."""

from __future__ import annotations

from nndsl import code
from nndsl.ide.analysis import Analysis
from nndsl.ide.symbols import Symbol
from nndsl.layers import catalogue
from nndsl.source import Span
from nndsl.syntax import ast
from nndsl.syntax.names import is_reserved
from nndsl.syntax.walk import walk


class CannotRename(Exception):
    """Why a name cannot be given; the text is for people."""


def renamable(analysis: Analysis, offset: int) -> tuple[Symbol, Span]:
    """The symbol at a position and its name's place there. Raises CannotRename."""
    occurrence = analysis.symbols.at(offset)
    if occurrence is None:
        raise CannotRename("there is no name here that this project defines")
    if occurrence.symbol.kind == "import":
        raise CannotRename(f"`{occurrence.symbol.name}` is defined in a file that cannot be read")
    return occurrence.symbol, occurrence.span


def check_name(name: str) -> None:
    """Raises CannotRename for what is no name, or one that the language or the catalogue has."""
    if not code.is_name(name) or name == "_":
        raise CannotRename(f"`{name[:40]}` is no name: names are made of letters, digits and `_`")
    if is_reserved(name):
        raise CannotRename(f"`{name}` is a word of the language")
    if catalogue.is_known(name):
        raise CannotRename(f"`{name}` is a layer of the catalogue")


def places(analysis: Analysis, symbol: Symbol, name: str | None = None) -> list[Span]:
    """Where a file means a symbol. With `name`, the new name: raises CannotRename where that means something there."""
    found = [o for o in analysis.symbols.occurrences if o.symbol.key == symbol.key]
    if name is not None and found and name != symbol.name:
        _check_free(analysis, symbol, name)
    return [occurrence.span for occurrence in found]


def _check_free(analysis: Analysis, symbol: Symbol, name: str) -> None:
    symbols = analysis.symbols
    bodies = symbols.bodies
    if symbol.container is not None:
        bodies = [n for n in bodies if n.container is not None and n.container.span == symbol.container.span]
    taken = symbols.file_names.symbols.get(name)
    for names in bodies:
        taken = taken or names.symbols.get(name)
    loops = [o.symbol for o in symbols.occurrences if o.is_definition and o.symbol.kind == "repeat"]
    taken = taken or next((loop for loop in loops if loop.name == name), None)
    if taken is not None:
        file = taken.span.file
        raise CannotRename(f"`{name}` is a name already: {taken.kind} at {file.name}:{taken.span.line}")
    known = {occurrence.span.start for occurrence in symbols.occurrences}
    for node in walk(bodies[0].container if symbol.container is not None and bodies else analysis.tree):
        if isinstance(node, ast.NameRef) and node.name == name and node.span.start not in known:
            raise CannotRename(f"`{name}` is used as an option at line {node.span.line}, and would mean another thing")
        if isinstance(node, ast.CallExpr) and node.func.text == name and symbol.kind in ("block", "layer", "shared"):
            raise CannotRename(f"`{name}(` is called at line {node.span.line}, and would mean another thing")
