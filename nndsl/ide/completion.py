"""What may be written at the caret. Every name that is offered means something to the compiler there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from nndsl.ide import callees
from nndsl.ide.analysis import Analysis, Checked
from nndsl.ide.callees import Callee
from nndsl.ide.caret import caret_at
from nndsl.ide.expected import Expected
from nndsl.ide.flowing import flowing
from nndsl.ide.items import Item
from nndsl.ide.items import resolve as resolve
from nndsl.ide.offers import IN_BODIES, STATEMENTS, Offers
from nndsl.ide.place import Place
from nndsl.ir.types import DTYPES, FLOATS, INTEGERS
from nndsl.layers import catalogue
from nndsl.passes.settings import OPTIONS
from nndsl.passes.train_section import SETTINGS
from nndsl.source import Span
from nndsl.syntax import ast

Paths = Callable[[str], list[str]]
"""The paths that an import may go on with, from what of one is written (`Project.offered`)."""

_BEHIND = re.compile(r"""#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[()\[\]{}]|\b([A-Za-z_]\w*)\s*=(?!=)""")
_MOST_BEHIND = 2000  # characters


def complete(analysis: Analysis, offset: int, typed: Checked | None, paths: Paths | None = None) -> list[Item]:
    """What may stand at an offset. `typed` is the last check of the file that there is, of another text perhaps; it
    only tells what fits best."""
    caret = caret_at(analysis.source, offset)
    if caret.silent:
        return []
    expected = Expected(analysis, caret)
    found: dict[str, Item] = {}
    for item in _Completion(analysis, expected, typed, paths).items():
        found.setdefault(item.label, item)
    return sorted(found.values(), key=lambda item: item.sort)


class _Completion(Offers):
    def __init__(self, analysis: Analysis, expected: Expected, typed: Checked | None, paths: Paths | None) -> None:
        super().__init__(analysis, expected)
        self.typed, self.paths, self.place = typed, paths, expected.place

    def items(self) -> Iterator[Item]:
        place = self.place
        if self.caret.string is not None and place.kind != "path":
            return
        given: dict[str, Callable[[Place], Iterator[Item]]] = {
            "statement": self._statements, "stage": self._stages, "maker": self._makers, "source": self._sources,
            "value": self.values, "argument": self._arguments, "option": self._options, "choice": self._choices,
            "dtype": self._dtypes, "dimension": self._dimensions, "reader": self._entries, "transform": self._entries,
            "data": self._data, "attribute": self._attributes, "value name": self._value_names,
            "state name": self._state_names, "path": self._paths, "import": self._import,
            "import name": self._import_names, "with": self._with,
        }  # fmt: skip
        if place.kind in given:
            yield from given[place.kind](place)

    # ----------------------------------------------------------------------------------- statements

    def _statements(self, place: Place) -> Iterator[Item]:
        section = self._section(place.body)
        others = [s.targets[0] for s in section if isinstance(s, ast.AssignStmt)]
        done = {name.text for name in others if name.span.start != self.caret.start}
        if place.body == "train":
            for name, (wanted, _) in SETTINGS.items():
                if name not in done:
                    detail = wanted.describe().replace("`", "")
                    yield self.make.assigned(name, "setting", "1", " = ", detail=detail, about=f"setting/{name}")
        elif place.body == "options":
            for name in OPTIONS:
                if name not in done:
                    yield self.make.assigned(name, "setting", "1", " = ", about=f"options/{name}")
        elif place.body == "data":
            for name, kind in self.names.values.items():
                if name not in done and (kind == "input" or name in self._with_losses()):
                    yield self.make.assigned(name, "value", "1", " = ", detail=kind)
        body = self.container.body if self.container is not None else ()
        kinds = [s.kind for s in body if isinstance(s, ast.Section)]
        present = {kind.text for kind in kinds if kind.span.start != self.caret.start}
        if place.of:
            yield self.make.keyword("with", "with ", "3")
        for word in IN_BODIES.get(place.body, ()):
            if word not in present:
                yield self.make.keyword(word, STATEMENTS[word], "2")

    def _section(self, kind: str) -> tuple[ast.Stmt, ...]:
        body = self.container.body if self.container is not None else ()
        return next((s.body for s in body if isinstance(s, ast.Section) and s.kind.text == kind), ())

    def _with_losses(self) -> set[str]:
        body = self.container.body if self.container is not None else ()
        outputs = [s for s in body if isinstance(s, ast.OutputStmt)]
        return {s.name.text for s in outputs if any(o.name is not None and o.name.text == "loss" for o in s.options)}

    def _with(self, place: Place) -> Iterator[Item]:
        """Behind something whole: words that go on."""
        if place.of == "repeat":
            yield self.make.keyword("in", "in ", "1")
            return
        if place.of not in ("", "state") and not self.make.before_equal:
            yield self.make.keyword("with", "with ", "1")
        for word in place.names:
            yield self.make.keyword(word, f"{word} ", "2")

    # -------------------------------------------------------------------------------------- stages

    def _stages(self, _: Place) -> Iterator[Item]:
        if isinstance(self.container, ast.BlockDef) and self.container.is_layer:
            return  # it computes with expressions
        incoming = flowing(self.typed, self.analysis.source, self.caret)
        for name in self.names.shared:
            yield self.make.plain(name, "shared", "0", detail="shared layer")
        for name in self.names.layers:
            yield self.make.plain(name, "parameter", "4", detail="parameter")
        yield from self.layers(incoming)
        yield self.make.keyword("branch", "branch {\n    $0\n}", "3")
        yield self.make.keyword("repeat", "repeat ${1:2} { $0 }", "3")

    def _makers(self, _: Place) -> Iterator[Item]:
        yield from self.layers()

    # --------------------------------------------------------------------------------------- values

    def _sources(self, place: Place) -> Iterator[Item]:
        own = self.own_names()
        for name, kind in self.names.values.items():
            if name not in own:
                yield self.make.plain(name, "value", "1", detail=kind)
        if place.of == "operand":
            yield from self.known("3")
        for name in catalogue.names("function"):
            callee = callees.of_entry("function", name)
            if callee is not None:
                yield self.make.called(callee, "function", "4", f"function/{name}", detail="function")

    # ------------------------------------------------------------------------------------ arguments

    def _arguments(self, place: Place) -> Iterator[Item]:
        callee = place.callee
        if callee is None:
            return
        if place.by_position and place.position < len(callee.positional):
            parameter = callee.positional[place.position]
            if parameter.is_tensor:
                yield from self._sources(Place("source", of="operand" if callee.category == "function" else ""))
            else:
                yield from self.values(Place("value", takes=parameter.kind, callee=callee))
        taken = {*place.given, *self._given_behind()}
        for parameter in callee.parameters:
            if parameter.name not in taken:
                yield self.make.argument(callee, parameter)

    def _given_behind(self) -> set[str]:
        """The names of the arguments of the call that stand behind the caret."""
        found: set[str] = set()
        depth = 0
        text = self.analysis.source.text
        for part in _BEHIND.finditer(text, self.caret.end, self.caret.end + _MOST_BEHIND):
            sign = part[0][0]
            if sign in "([{":
                depth += 1
            elif sign in ")]}":
                depth -= 1
                if depth < 0:
                    break
            elif part[1] and not depth:
                found.add(part[1])
        return found

    def _options(self, place: Place) -> Iterator[Item]:
        for name, (kind, _) in place.options.items():
            if name not in place.given:
                detail = "" if kind is None else kind.describe().replace("`", "")
                yield self.make.assigned(name, "argument", "1", "=", detail=detail, about=f"with/{place.of}/{name}")

    def _choices(self, place: Place) -> Iterator[Item]:
        for name in place.names:
            yield self.make.plain(name, "option", "1", about=f"options/{place.of}")

    # ---------------------------------------------------------------------------------------- types

    def _dtypes(self, place: Place) -> Iterator[Item]:
        known = {"trainable": ("float", *FLOATS), "state": ("float", "int", *DTYPES)}
        for name in known.get(place.of, ("float", "int", *INTEGERS, "bool")):
            item = self.make.plain(name, "dtype", "1" if name in ("float", "int") else "2", about=f"dtype/{name}")
            if not self.make.before_bracket:
                item = Item(name, item.kind, item.span, f"{name}[$1]", is_snippet=True, sort=item.sort, filter=name,
                            about=item.about)  # fmt: skip
            yield item

    def _dimensions(self, _: Place) -> Iterator[Item]:
        for name in dict.fromkeys(self.names.dimensions):
            if name != self.caret.prefix:
                yield self.make.plain(name, "dimension", "1", detail="free size")
        for name, kind in self.names.known.items():
            if kind in ("param", "parameter"):
                yield self.make.plain(name, "parameter", "2", detail=kind)
        if isinstance(self.container, ast.BlockDef):
            for name, kind in self.names.values.items():
                if kind == "input":
                    yield self.make.size(name)

    def _attributes(self, place: Place) -> Iterator[Item]:
        name = place.names[0] if place.names else ""
        if place.body == "data":
            yield from self._fields(name)
        elif name in self.names.values:
            for word in ("shape", "dtype"):
                yield self.make.plain(word, "attribute", "1", about=f"attribute/{word}")

    # ----------------------------------------------------------------------------------------- data

    def _entries(self, place: Place) -> Iterator[Item]:
        for cls in catalogue.entries(place.kind):
            name = catalogue.spelling(cls)
            yield self.make.called(Callee(name, place.kind, cls), place.kind, "1", f"{place.kind}/{name}")

    def _data(self, _: Place) -> Iterator[Item]:
        for statement in self._section("data"):
            if isinstance(statement, ast.SourceStmt):
                yield self.make.plain(statement.name.text, "value", "1", detail="source")

    def _fields(self, name: str) -> Iterator[Item]:
        """The fields of a source, as far as they are known before the data are there."""
        sources = [s for m in self.typed.models for s in m.sources if s.name == name] if self.typed is not None else []
        for source in sources[:1]:
            if source.reader.of_model:
                fields = [n for n, kind in self.names.values.items() if kind == "input" or n in self.names.outputs]
            else:
                fields = list(source.reader.fields() or ())
            for field in fields:
                yield self.make.plain(field, "attribute", "1", detail=f"field of {name}")

    # ---------------------------------------------------------------------------------- other names

    def _value_names(self, place: Place) -> Iterator[Item]:
        own = self.caret.frame.callee  # `submodel own(`
        for name, kind in self.names.values.items():
            if own is not None and name == own.text:
                continue
            taken = name in self.names.outputs
            if place.of != "output" or not (taken or kind == "input"):
                yield self.make.plain(name, "value", "1", detail=kind)

    def _state_names(self, _: Place) -> Iterator[Item]:
        for name in self.names.states:
            yield self.make.assigned(name, "value", "1", " = ", detail="state")

    def _paths(self, place: Place) -> Iterator[Item]:
        text = self.analysis.source.text
        line_end = text.find("\n", self.caret.start)
        line_end = len(text) if line_end < 0 else line_end
        quote = text[self.caret.start - 1]
        closing = text.find(quote, self.caret.start, line_end)
        span = Span(self.analysis.source, self.caret.start, closing if closing >= 0 else line_end)
        for path in self.paths(place.path) if self.paths is not None else ():
            if '"' not in path and "'" not in path and "\\" not in path and path.isprintable():
                yield Item(path, "folder" if path.endswith("/") else "file", span, path, sort=path, filter=path)

    def _import(self, _: Place) -> Iterator[Item]:
        yield self.make.keyword("import", "import ", "1")

    def _import_names(self, place: Place) -> Iterator[Item]:
        other = self.analysis.at_path(place.path)
        if other is None or other is self.analysis:
            return
        for name in other.exported():
            if name not in place.given and other.definition(name) is not None:
                yield self.make.plain(name, "block", "1", detail=place.path)
