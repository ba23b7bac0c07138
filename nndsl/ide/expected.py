"""What is expected at the caret: a layer, a value, an argument of a call, a setting, …"""

from __future__ import annotations

from dataclasses import replace

from nndsl.ide import callees
from nndsl.ide.analysis import Analysis
from nndsl.ide.callees import Callee
from nndsl.ide.caret import GROUP, Caret, Frame
from nndsl.ide.place import NOTHING, WITH, Place
from nndsl.ide.places import container_at
from nndsl.layers.kinds import Of
from nndsl.passes.settings import OPTIONS
from nndsl.passes.train_section import SETTINGS
from nndsl.syntax import ast
from nndsl.syntax.lexer import Token

_SIGNS = {"SIGN", "FACTOR", "POWER", "COMPARE", "DOTS", "AND", "OR", "NOT"}


class Expected:
    """The places around one caret."""

    def __init__(self, analysis: Analysis, caret: Caret) -> None:
        self.analysis, self.caret = analysis, caret
        self.container = _container(analysis, caret)
        self.places: list[Place] = []  # what is expected in each open bracket, the file first
        self.called: list[Callee | None] = []  # what is called by each open parenthesis
        for frame in caret.stack:
            self.places.append(self._within(frame, self.places[-1] if self.places else NOTHING))

    @property
    def place(self) -> Place:
        return self.places[-1]

    def _within(self, frame: Frame, outer: Place) -> Place:
        self.called.append(None)
        if frame.is_body:
            if frame.word in ("branch", "repeat"):
                return self._flow(frame.item, Place("stage"))
            return self._statement(frame)
        if frame.opener == "LSQB":
            return self._bracket(frame, outer)
        if outer.kind == "submodel":
            return Place("value name")
        if frame.callee is not None and outer.kind != "declaration":
            callee = self.called[-1] = self.callee(frame.callee.text, outer)
            if callee is not None:
                return self._argument(frame, callee)
            return NOTHING
        if outer.kind == "declaration":
            return Place("value") if any(t.type == "EQUAL" for t in frame.item) else NOTHING
        return self._go_on(frame.item, outer)

    # ----------------------------------------------------------------------------------- statements

    def _statement(self, frame: Frame) -> Place:
        item, body = frame.item, frame.word
        if not item:
            ended = frame.ended[0].type.lower() if frame.ended and self.caret.frame is frame else ""
            goes_on = ended in WITH and not any(t.type == "WITH" for t in frame.ended)
            return Place("statement", body=body, of=ended if goes_on and WITH[ended] else "")
        first = item[0].type
        mark = next((i for i, t in enumerate(item) if t.type == "WITH"), None)
        if mark is not None:
            return self._with(first.lower(), item[mark + 1 :])
        equal = next((i for i, t in enumerate(item) if t.type == "EQUAL"), None)
        head, rest = (item, []) if equal is None else (item[:equal], item[equal + 1 :])
        if equal is None:
            return self._head(first, item, body)
        if body in ("train", "options"):
            return self._setting(body, head[0].text, rest) if head and head[0].type == "NAME" else NOTHING
        if body == "data":
            return self._data(first, rest)
        match first:
            case "SUBMODEL":
                return Place("value name") if not rest else NOTHING
            case "SHARED":
                return Place("maker") if not rest else NOTHING
            case "PARAM":
                return self._value(rest, Place("value"))
            case "TRAINABLE" | "STATE":
                return self._value(rest, Place("value", takes=Of("initializer")))
        return self._flow(rest, Place("source"))

    def _head(self, first: str, item: list[Token], body: str) -> Place:
        """A statement before its `=`."""
        last = item[-1].type
        match first:
            case "FROM":
                if len(item) == 1:
                    path = self.caret.string
                    return Place("path", path=path) if path is not None else NOTHING
                if any(t.type == "IMPORT" for t in item):
                    given = tuple(t.text for t in item[2:] if t.type == "NAME")
                    path = item[1].text[1:-1] if item[1].type == "STRING" else ""
                    return Place("import name", path=path, given=given) if last in ("IMPORT", "COMMA") else NOTHING
                return Place("import")
            case "INPUT" | "TRAINABLE" | "STATE":
                if last == "COLON":
                    return Place("dtype", body=body, of=first.lower())
                return Place("with", of=first.lower()) if last == GROUP else NOTHING
            case "OUTPUT":
                return Place("value name", of="output") if len(item) == 1 else Place("with", of="output")
            case "UPDATE":
                return Place("state name") if len(item) == 1 else NOTHING
            case "SUBMODEL":
                return Place("submodel")
            case "BLOCK" | "LAYER":
                return Place("declaration")
            case "NAME" if last == "ARROW":
                return self._flow(item, Place("source"))
        return NOTHING

    def _with(self, statement: str, rest: list[Token]) -> Place:
        statement = statement if statement in WITH else "output"
        options = WITH[statement]
        parts: list[list[Token]] = [[]]
        for token in rest:
            if token.type == "COMMA":
                parts.append([])
            else:
                parts[-1].append(token)
        given = tuple(part[0].text for part in parts[:-1] if part)
        now = parts[-1]
        if not now:
            return Place("option", of=statement, options=options, given=given)
        if len(now) == 1:
            return NOTHING
        kind = options.get(now[0].text, (None, ""))[0]
        if kind is None and statement != "param":
            return NOTHING
        return self._value(now[2:], Place("value", takes=kind, of=now[0].text, body="with"))

    def _setting(self, body: str, name: str, rest: list[Token]) -> Place:
        if body == "options":
            return Place("choice", names=tuple(OPTIONS.get(name, ())), of=name) if not rest else NOTHING
        kind = SETTINGS[name][0] if name in SETTINGS else None
        return NOTHING if kind is None else self._value(rest, Place("value", takes=kind, of=name, body="train"))

    def _data(self, first: str, rest: list[Token]) -> Place:
        if first == "SOURCE":
            return Place("reader") if not rest else Place("with", of="source")
        if not rest:
            return Place("data")
        if rest[-1].type == "ARROW":
            return Place("transform")
        if rest[-1].type == "DOT" and len(rest) == 2:
            return Place("attribute", names=(rest[0].text,), body="data")
        return NOTHING

    # -------------------------------------------------------------------------- flows and expressions

    def _flow(self, item: list[Token], start: Place) -> Place:
        """A flow, of which `item` stands before the caret."""
        arrow = max((i for i, t in enumerate(item) if t.type == "ARROW"), default=-1)
        return self._value(item[arrow + 1 :], start if arrow < 0 else Place("stage"))

    def _go_on(self, item: list[Token], place: Place) -> Place:
        """An item inside of parentheses or a list, where `place` was expected."""
        if place.kind in ("source", "stage"):
            return self._flow(item, place)
        if place.kind == "argument":
            return self._go_on(item, self._positional(place))
        return self._value(item, place) if place.kind == "value" else place if not item else NOTHING

    def _value(self, rest: list[Token], place: Place) -> Place:
        """An expression where `place` is expected, of which `rest` stands before the caret."""
        if not rest:
            return place
        flows = place.kind in ("source", "stage")
        operand = Place("source", of="operand") if flows else Place("value")
        last = rest[-1].type
        repeat = next((i for i, t in enumerate(rest) if t.type == "REPEAT"), None)
        if repeat is not None:
            behind = rest[repeat + 1 :]
            if not behind or behind[-1].type == "IN":
                return Place("value", of="repeat")
            if len(behind) == 1 and behind[0].type in ("NAME", GROUP):
                return Place("with", of="repeat")
            operand, flows = Place("value"), False
        if last in _SIGNS:
            return operand if not any(t.type == "IF" for t in rest) else Place("value")
        if last == "IF":
            return Place("value", of="condition")
        if last == "ELSE":
            return place
        if last == "DOT" and len(rest) > 1:
            return Place("attribute", names=(rest[-2].text,))
        if last in ("NAME", GROUP, "INT", "FLOAT", "STRING"):
            kinds = {t.type for t in rest}
            choice = () if "ELSE" in kinds else ("else", "and", "or") if "IF" in kinds else ("if",)
            return Place("with", of=self._statement_word() if flows else "", names=choice)
        return NOTHING

    def _statement_word(self) -> str:
        frame = next(frame for frame in reversed(self.caret.stack) if frame.is_body)
        first = frame.item[0].type.lower() if frame is self.caret.frame and frame.item else ""
        return first if first in WITH else ""

    def _bracket(self, frame: Frame, outer: Place) -> Place:
        """Inside of `[`: a type, a subscript or a list."""
        if outer.kind in ("dtype", "nothing") and self._in_type(frame):
            return self._value(frame.item, Place("dimension"))
        if outer.kind == "with":
            return self._value(frame.item, Place("value"))
        return self._go_on(frame.item, outer)

    def _in_type(self, frame: Frame) -> bool:
        around = self.caret.stack[self.caret.stack.index(frame) - 1].item
        return bool(around) and around[0].type in ("INPUT", "TRAINABLE", "STATE") and len(around) in (3, 4)

    # ------------------------------------------------------------------------------------------ calls

    def callee(self, name: str, place: Place) -> Callee | None:
        """What `name(` calls where `place` is expected."""
        analysis = self.analysis
        match place.kind:
            case "reader" | "transform":
                return callees.of_entry(place.kind, name)
            case "stage" | "maker":
                found = callees.maker(analysis, name)
                if found is None and place.kind == "stage":
                    found = callees.shared(analysis, self.container, name)
                return found
            case "source":
                return callees.of_entry("function", name) or callees.maker(analysis, name)
            case "argument":
                return self.callee(name, self._positional(place))
            case "value":
                for category in callees.categories(place.takes):
                    if (found := callees.of_entry(category, name)) is not None:
                        return found
                if place.takes is None or "layer" in callees.categories(place.takes):
                    return callees.maker(analysis, name)
        return None

    def _argument(self, frame: Frame, callee: Callee) -> Place:
        item = frame.item
        given = tuple(arg[0].text for arg in frame.before if len(arg) > 1 and arg[1].type == "EQUAL")
        unnamed = sum(1 for arg in frame.before if arg and not (len(arg) > 1 and arg[1].type == "EQUAL"))
        given = (*(p.name for p in callee.positional[:unnamed]), *given)
        by_position = unnamed == len(frame.before)
        place = Place("argument", callee=callee, position=unnamed, given=given, by_position=by_position)
        if not item:
            return place
        if len(item) > 1 and item[1].type == "EQUAL":
            return self._go_on(item[2:], self._of_parameter(callee, item[0].text))
        return self._go_on(item, self._positional(place))

    def _positional(self, place: Place) -> Place:
        """What a place in a call takes as an argument without a name."""
        callee = place.callee
        if place.kind != "argument" or callee is None or not place.by_position:
            return NOTHING
        if place.position < len(callee.positional):
            return self._of_parameter(callee, callee.positional[place.position].name)
        return replace(NOTHING)

    def _of_parameter(self, callee: Callee, name: str) -> Place:
        parameter = callee.parameter(name)
        if parameter is None:
            return NOTHING
        if parameter.is_tensor:
            return Place("source", of=name, callee=callee)
        return Place("value", takes=parameter.kind, of=name, callee=callee)


def _container(analysis: Analysis, caret: Caret) -> ast.ModelDef | ast.BlockDef | None:
    """The definition around the caret; by its name where it cannot be told from the tree, which is broken."""
    name = caret.definition()
    found = container_at(analysis.tree, caret.start)
    if found is not None or not name:
        return found
    definitions = [s for s in analysis.tree.body if isinstance(s, ast.ModelDef | ast.BlockDef)]
    return next((s for s in definitions if s.name.text == name), None)


def expected_at(analysis: Analysis, offset: int, *, whole: bool = False) -> Expected:
    from nndsl.ide.caret import caret_at

    return Expected(analysis, caret_at(analysis.source, offset, whole=whole))
