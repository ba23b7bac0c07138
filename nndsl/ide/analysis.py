"""What is known of one version of one file: its tree and names at once, the rest when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from nndsl import pipeline
from nndsl.diagnostics.model import Diagnostic, Problems
from nndsl.ide.symbols import Symbol, Symbols, own_symbols
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.passes.definitions import CannotImport, Reader, no_reader
from nndsl.passes.trace import Trace
from nndsl.source import SourceFile
from nndsl.syntax import ast, parse

Parsed = Callable[[SourceFile], "Analysis"]
"""The analysis of an imported file: one object for one text, so that its symbols are the same for all who import it."""


class Checked:
    """The outcome of all checks of one file. `models` are there for a file with errors too."""

    def __init__(self, source: SourceFile, reader: Reader) -> None:
        self.problems = Problems()
        self.trace = Trace()
        self._source = source
        self._found = pipeline.examine(source, self.problems, reader, need_model=False, trace=self.trace)

    @property
    def source(self) -> SourceFile:
        return self._source

    @property
    def models(self) -> list[Model]:
        return self._found.models

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return self.problems.sorted()

    @cached_property
    def program(self) -> CheckedProgram | None:
        """The program to compile, None where there is an error or no model. Asking prunes the models: what leads
        nowhere is gone from their nodes."""
        return pipeline.finish(self._source, self._found, self.problems) if self.models else None


class Analysis:
    """One text. `reader` gives the files that it imports, `parsed` what is known of those."""

    def __init__(self, source: SourceFile, reader: Reader = no_reader, parsed: Parsed | None = None) -> None:
        self.source = source
        self.reader = reader
        self._parsed = parsed or (lambda other: Analysis(other, reader))
        self.syntax = Problems()
        self.tree = parse(source, self.syntax)

    @cached_property
    def own(self) -> dict[str, Symbol]:
        """The blocks and layers that the file defines."""
        return own_symbols(self.tree)

    @cached_property
    def symbols(self) -> Symbols:
        return Symbols(self.tree, self.own, self._exports)

    @cached_property
    def checked(self) -> Checked:
        return Checked(self.source, self.reader)

    def imports(self) -> Iterator[ast.ImportDef]:
        return (statement for statement in self.tree.body if isinstance(statement, ast.ImportDef))

    def imported(self, statement: ast.ImportDef) -> Analysis | None:
        """The file that an import names, None where it cannot be had."""
        path = statement.path.value
        return self.at_path(path) if isinstance(path, str) else None

    def at_path(self, path: str) -> Analysis | None:
        """The file at a path as an import writes it, None where it cannot be had."""
        try:
            source = self.reader(self.source, path)
        except CannotImport:
            return None
        return self if source is self.source else self._parsed(source)

    def exported(self) -> list[str]:
        """The names that another file may import from this one."""
        return [*self.own, *(name.text for statement in self.imports() for name in statement.names)]

    def _exports(self, statement: ast.ImportDef) -> dict[str, Symbol]:
        other = self.imported(statement)
        found: dict[str, Symbol] = {}
        for name in statement.names:
            symbol = None if other is None else other.definition(name.text)
            if symbol is not None:
                found[name.text] = symbol
        return found

    def definition(self, name: str) -> Symbol | None:
        """The block or layer that a name of this file stands for, found through imports."""
        at: Analysis | None = self
        seen: list[Analysis] = []
        while at is not None and at not in seen:
            if name in at.own:
                return at.own[name]
            seen.append(at)
            leading = next((s for s in at.imports() if any(n.text == name for n in s.names)), None)
            at = None if leading is None else at.imported(leading)
        return None
