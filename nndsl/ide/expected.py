"""What is expected at the caret: a layer, a value, an argument of a call, a setting, …"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nndsl.ide import callees
from nndsl.ide.analysis import Analysis
from nndsl.ide.callees import Callee
from nndsl.ide.caret import GROUP, Caret, Frame
from nndsl.ide.places import container_at
from nndsl.layers.entry import Kind
from nndsl.layers.kinds import Bool, Float, Int, ListOf, Of
from nndsl.passes.settings import OPTIONS
from nndsl.passes.train_section import SETTINGS
from nndsl.syntax import ast
from nndsl.syntax.lexer import Token

_SIGNS = {"SIGN", "FACTOR", "POWER", "COMPARE", "DOTS", "AND", "OR", "NOT"}
_SHARE: Kind[Any] = Float(0, 1, below=True)

WITH: dict[str, dict[str, tuple[Kind[Any] | None, str]]] = {
    "output": {
        "loss": (Of("loss"), "What training minimises for this output."),
        "weight": (Float(0), "What the loss of this output is multiplied by; 1 by default."),
        "metrics": (ListOf(Of("metric"), single=True), "What is reported of this output beside its loss."),
        "weighted_metrics": (
            ListOf(Of("metric"), single=True),
            "Metrics that heed the weights of the samples and, in training, `class_weight`.",
        ),
        "sample_weight": (
            None,
            "The name of an array of the data with a number for each sample, which its loss is multiplied by.",
        ),
        "step_weight": (None, "The name of an array of the data with a number for each step of the output."),
    },
    "input": {"batch": (Int(1), "A fixed batch size, the same for all inputs; stateful layers need it.")},
    "param": {
        "min": (Float(), "The least value that `--set` may give."),
        "max": (Float(), "The greatest value that `--set` may give."),
        "choices": (None, "The list of the values that `--set` may give."),
    },
    "penalty": {"weight": (Float(), "What the penalty is multiplied by before the loss gets it; 1 by default.")},
    "source": {
        "test": (_SHARE, "The share of the rows that is held out for the numbers at the end."),
        "validation": (_SHARE, "The share of the rows for the numbers after each epoch."),
        "seed": (Int(0), "How the rows are dealt out; the same seed gives the same parts."),
    },
    "trainable": {
        "regularizer": (Of("regularizer"), "What is added to the loss for this weight."),
        "constraint": (Of("constraint"), "What the weight is held to after every step."),
    },
    "state": {},
    "update": {"training": (Bool(), "Whether the update happens in training alone; without it at every call.")},
}
"""What may stand behind `with`, by the statement: what each takes, and what it is for."""

OPTION_DOCS = {
    "data_format": "Where images have their channels: `channels_last` (the default) or `channels_first`.",
    "float": "The model's float type; `float32` by default.",
}


@dataclass(frozen=True, eq=False)
class Place:
    """What may stand at the caret.

    `kind` is one of: "statement" (`body` says in which body), "stage", "source" (a value that flows on), "value" (known
    at compile time; `takes` what is wanted, None for anything), "argument" (of `callee`, which may be given by name or
    as number `position`), "maker" (of a shared layer), "option" (behind `with`, one of `options`), "choice" (one of
    `names`), "dtype", "dimension", "reader", "transform", "data" (a source), "attribute" (of `names`), "value name",
    "state name", "submodel" (its name), "declaration" (of a block), "path", "import", "import name", "with" (where the
    statement may end or go on; `of` is its word), "nothing".
    """

    kind: str
    body: str = ""
    takes: Kind[Any] | None = None
    callee: Callee | None = None
    position: int = 0
    given: tuple[str, ...] = ()
    by_position: bool = True
    options: Mapping[str, tuple[Kind[Any] | None, str]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    of: str = ""  # the argument, setting or option whose value stands here
    path: str = ""


NOTHING = Place("nothing")


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
            return Place("statement", body=body)
        first = item[0].type
        mark = next((i for i, t in enumerate(item) if t.type == "WITH"), None)
        if mark is not None:
            return self._with(first.lower(), item[mark + 1 :])
        equal = next((i for i, t in enumerate(item) if t.type == "EQUAL"), None)
        head, rest = (item, []) if equal is None else (item[:equal], item[equal + 1 :])
        if equal is None:
            return self._head(first, item, body)
        if body in ("train", "options") and head and head[0].type == "NAME":
            return self._setting(body, head[0].text, rest)
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
            return self._value(item, self._positional(place))
        return self._value(item, place) if place.kind == "value" else place if not item else NOTHING

    def _value(self, rest: list[Token], place: Place) -> Place:
        """An expression where `place` is expected, of which `rest` stands before the caret."""
        if not rest:
            return place
        flows = place.kind in ("source", "stage")
        operand = Place("source") if flows else Place("value")
        last = rest[-1].type
        repeat = next((i for i, t in enumerate(rest) if t.type == "REPEAT"), None)
        if repeat is not None:
            behind = rest[repeat + 1 :]
            if not behind or behind[-1].type == "IN":
                return Place("value", of="repeat")
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
            return Place("with", of=self._statement_word() if flows else "")
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
