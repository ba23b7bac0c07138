"""What files define at their top level: parameters, blocks, layers of one's own, and what they import from each other.

Before: the syntax tree of the main file. After: a `Home` for it and for each file that it imports from, with names
looked up and parameters evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from nndsl.diagnostics.model import Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.layers import catalogue
from nndsl.passes.params import Params
from nndsl.passes.resolve import Scope, did_you_mean_fix, resolve
from nndsl.records import fresh, mutable
from nndsl.source import SourceFile, Span
from nndsl.syntax import ast, parse

if TYPE_CHECKING:
    from nndsl.passes.estimate import Size

MOST_FILES = 200


class CannotImport(Exception):
    """A file that an import names and that cannot be had; `code` and `help` are those of the problem."""

    def __init__(self, code: str, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.help = code, message, help


Reader = Callable[[SourceFile, str], SourceFile]
"""(the importing file, the path as written) → the file; raises CannotImport. One file is one SourceFile object."""


def no_reader(importer: SourceFile, path: str) -> SourceFile:
    """The reader of a text that is no file."""
    raise CannotImport("NN0705", f"`{path}` cannot be imported: {importer.name} is a text without a folder",
                       "save it as a file; imports are found beside it")  # fmt: skip


@mutable
class Block:
    """A `block` or `layer` with the file that it stands in, where the names of its body are looked up."""

    definition: ast.BlockDef
    home: Home
    _scope: Scope | None = None
    calls: int = 0
    failed: list[object] = fresh(default_factory=list)  # arguments of calls that went wrong and were reported
    is_endless: bool = False  # whether calls of it went too deep, which was reported
    size: Size | None = None  # see passes/estimate.py

    @property
    def name(self) -> str:
        return self.definition.name.text

    def scope(self, problems: Problems) -> Scope:
        """The names of its body, resolved when it is first asked for. What is wrong with them has nothing to do with
        the call that is being expanded."""
        if self._scope is None:
            calls, problems.calls = problems.calls, []
            self._scope = resolve(self.definition, problems, self.home.params.places)
            problems.calls = calls
        return self._scope


@mutable
class Home:
    """The top level of one file. `absent` are names that are reported already: uses of them stay silent."""

    source: SourceFile
    blocks: dict[str, Block] = fresh(default_factory=dict)
    params: Params = fresh(default_factory=Params)
    absent: set[str] = fresh(default_factory=set)
    models: set[str] = fresh(default_factory=set)


class Definitions:
    """Reads the top level of the main file and of those that it imports from."""

    def __init__(self, reader: Reader, problems: Problems) -> None:
        self.reader, self.problems = reader, problems
        self.homes: dict[SourceFile, Home] = {}
        self._path: list[tuple[SourceFile, Span]] = []  # the files being read, each with the import that led there

    def read(self, file: ast.File, settings: Mapping[str, str]) -> Home:
        """The main file. `settings` are texts that take the place of its parameters' values."""
        home = self._home(file)
        others = {name: other.source.name for other in self.homes.values() for name in other.params.values}
        home.params.read(file, settings, self.problems, others)
        return home

    def _home(self, file: ast.File) -> Home:
        source = file.span.file
        home = self.homes[source] = Home(source)
        places: dict[str, Span] = {}
        for statement in file.body:
            match statement:
                case ast.BlockDef(name=name):
                    if self._declare(name, places, "a block" if not statement.is_layer else "a layer"):
                        home.blocks[name.text] = Block(statement, home)
                    elif catalogue.is_known(name.text):
                        home.absent.add(name.text)  # its calls mean the block
                case ast.ParamDef(name=name):
                    self._declare(name, places, "a parameter")
                case ast.ModelDef(name=name):
                    home.models.add(name.text)
                    places.setdefault(name.text, name.span)  # twice: said where models are elaborated
                case ast.ErrorStmt(declares=declared):
                    home.absent.update(ident.text for ident in declared)
        for statement in file.body:
            if isinstance(statement, ast.ImportDef):
                self._import(statement, home, places)
        return home

    def _declare(self, name: ast.Ident, places: dict[str, Span], what: str, *, is_import: bool = False) -> bool:
        if catalogue.is_known(name.text):
            self.problems.error(
                "NN0209", f"`{name.text}` is a layer of the catalogue and cannot be defined anew", name.span,
                "a layer's name",
                help="it needs no import: leave it out" if is_import
                else f"choose another name, for instance `My{name.text}`",
            )  # fmt: skip
            return False
        if name.text in places:
            self.problems.error(
                "NN0208", f"`{name.text}` is defined twice", name.span, "defined again here",
                related=(Label(places[name.text], "first defined here"),),
                help="leave one of them out, or rename it where it is defined" if is_import
                else f"give {what} a name of its own",
            )  # fmt: skip
            return False
        places[name.text] = name.span
        return True

    # -------------------------------------------------------------------------------------- imports

    def _import(self, statement: ast.ImportDef, home: Home, places: dict[str, Span]) -> None:
        other = self._other(statement, home)
        for name in statement.names:
            if other is None and name.text in places:
                continue  # said once: the file itself cannot be had
            if not self._declare(name, places, "what is imported", is_import=True):
                continue
            if other is None:
                home.absent.add(name.text)
            elif name.text in other.blocks:
                home.blocks[name.text] = other.blocks[name.text]
            else:
                home.absent.add(name.text)
                if name.text not in other.absent:
                    self._not_there(statement, name, other)

    def _not_there(self, statement: ast.ImportDef, name: ast.Ident, other: Home) -> None:
        known = list(other.blocks)
        help = did_you_mean(name.text, known)
        if name.text in other.models:
            help = "a model cannot be imported: only blocks and layers can"
        elif help is None and name.text in other.params.values:
            help = "a parameter belongs to its file: give it on as an argument of the block"
        if help is None and known:
            help = f"it has {', '.join(f'`{n}`' for n in known[:8])}"
        self.problems.error(
            "NN0705", f"{other.source.name} defines no block or layer called `{name.text}`", name.span, "not there",
            related=(Label(statement.path.span, "looked for here"),), help=help or "it defines no block and no layer",
            fixes=did_you_mean_fix(name.span, suggest(name.text, known)),
        )  # fmt: skip

    def _other(self, statement: ast.ImportDef, home: Home) -> Home | None:
        """The file that an import names, read once; None where that fails (reported)."""
        path = statement.path.value
        if not isinstance(path, str):
            return None
        try:
            source = self.reader(home.source, path)
        except CannotImport as error:
            self.problems.error(error.code, error.message, statement.path.span, help=error.help)
            return None
        self._path.append((home.source, statement.path.span))
        try:
            if any(file is source for file, _ in self._path):
                self._report_circle(source, statement)
                return None
            if source in self.homes:
                return self.homes[source]
            if len(self.homes) > MOST_FILES:
                self.problems.error(
                    "NN0702", f"a program is made of more than {MOST_FILES} files", statement.path.span,
                    help="put blocks that belong together into one file",
                )  # fmt: skip
                return None
            file = parse(source, self.problems)
            found = self._home(file)
            found.params.read(file, {}, self.problems)
            return found
        finally:
            self._path.pop()

    def _report_circle(self, source: SourceFile, statement: ast.ImportDef) -> None:
        if len(self._path) and self._path[-1][0] is source:
            self.problems.error(
                "NN0705", f"{source.name} imports itself", statement.path.span,
                help="leave the import out: what a file defines is known in all of it",
            )  # fmt: skip
            return
        start = next(i for i, (file, _) in enumerate(self._path) if file is source)
        steps = self._path[start:]
        names = [file.name for file, _ in steps]
        self.problems.error(
            "NN0705", f"these files import each other: {' -> '.join([*names, names[0]])}", statement.path.span,
            "closes the circle",
            related=tuple(Label(span, "imported here") for _, span in steps if span != statement.path.span),
            help="move what both need into a third file, and import it from there",
        )  # fmt: skip


def called(file: ast.File) -> Iterator[ast.ModelDef]:
    """The models of a file."""
    return (statement for statement in file.body if isinstance(statement, ast.ModelDef))
