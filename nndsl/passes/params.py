"""`param NAME = value with min=…, max=…, choices=[…]`: values that `--set NAME=value` may replace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nndsl.diagnostics.model import Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.layers.values import Option, Unbound, show
from nndsl.passes.evaluate import Env, Evaluator, Failed, bare_names
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.source import SourceFile, Span
from nndsl.syntax import ast, parse_expression

_NAMES: dict[type, str] = {
    bool: "`true` or `false`", int: "an integer", float: "a number", str: "a string", list: "a list", tuple: "a tuple",
    Option: "a name or a string",
}  # fmt: skip
_RULES = ("min", "max", "choices")

_MOST_IN_CIRCLE = 12  # parameters that are shown of a circle


class Params:
    """The parameters of one file."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.places: dict[str, Span] = {}  # where each is defined
        self.origins: dict[str, Span] = {}  # where the value of one that was set comes from
        self._pending: dict[str, ast.ParamDef] = {}
        self.broken: set[str] = set()

    def read(
        self,
        file: ast.File,
        settings: Mapping[str, str],
        problems: Problems,
        elsewhere: Mapping[str, str] | None = None,
    ) -> None:
        """Evaluates the parameters of `file`, in whatever order they stand; `settings` replaces some of them.
        `elsewhere` are parameters of imported files by their names, and the names of those files."""
        self._settings, self._problems = dict(settings), problems
        for statement in file.body:
            if isinstance(statement, ast.ParamDef):
                self._pending.setdefault(statement.name.text, statement)
                self.places.setdefault(statement.name.text, statement.name.span)
        for name in list(settings):
            if name not in self._pending:
                self._unknown(name, settings[name], file, (elsewhere or {}).get(name))
        for name in list(self._pending):
            self._value(name)

    def _unknown(self, name: str, text: str, file: ast.File, home: str | None) -> None:
        known = list(self._pending)
        span = Span(SourceFile("--set", f"{name}={text}"), 0, len(name))
        listed = ", ".join(f"`{n}`" for n in known[:8])
        help = did_you_mean(name, known) or (f"it has {listed}" if known else f"declare it: `param {name} = …`")
        if home is not None:
            help = f"{home} has it: `--set` reaches the main file alone, which can give it on as an argument of a block"
        self._problems.error(
            "NN0704", f"`{name}` names no `param` of {file.span.file.name}", span, "no such `param`",
            help=help, fixes=did_you_mean_fix(span, suggest(name, known)),
        )  # fmt: skip

    def _value(self, name: str) -> None:
        """Evaluates one parameter, and before it those that it is made from: on a stack of its own, since a file may
        have thousands, each made from the next."""
        path: dict[str, tuple[ast.ParamDef, Iterator[tuple[str, Span]]]] = {}
        self._begin(name, path)
        while path:
            name, (statement, others) = next(reversed(path.items()))
            other, span = next(others, (None, statement.span))
            if other is None:
                self._evaluate(name, statement)
                del path[name]
            elif other in path:
                statements = [entry[0] for entry in path.values()]
                self._circle(statements[list(path).index(other) :], span)
                del path[name]
            else:
                self._begin(other, path)

    def _begin(self, name: str, path: dict[str, tuple[ast.ParamDef, Iterator[tuple[str, Span]]]]) -> None:
        statement = self._pending.pop(name, None)
        if statement is not None:
            path[name] = statement, iter(bare_names(statement.value))

    def _evaluate(self, name: str, statement: ast.ParamDef) -> None:
        evaluate = Evaluator(self._problems, Env(self.values))
        evaluate.absent = self.broken
        try:
            default = evaluate(statement.value)
            self._check_kind(statement, default)
            value = default
            if name in self._settings:
                value = self._given(statement, default, self._settings[name])
            self._check_rules(statement, value, evaluate)
            self.values[name] = value
        except Failed:
            self.broken.add(name)

    def _circle(self, path: list[ast.ParamDef], span: Span) -> None:
        names = [s.name.text for s in path]
        around = [*names, names[0]]
        if len(around) > _MOST_IN_CIRCLE:
            around = [*around[: _MOST_IN_CIRCLE // 2], "…", *around[-_MOST_IN_CIRCLE // 2 :]]
        shown = " -> ".join(reversed(around))
        self._problems.error(
            "NN0401", f"parameter `{names[0]}` is made from itself: {shown}", span,
            related=tuple(Label(s.name.span, "defined here") for s in path[:_MOST_IN_CIRCLE]),
            help="give one of them a plain value",
        )  # fmt: skip
        self.broken.update(names)

    def _check_kind(self, statement: ast.ParamDef, value: object) -> None:
        if isinstance(value, Unbound):
            self._problems.error(
                "NN0706", f"the value of a parameter is a number, a word or a list, and this is {show(value)}",
                statement.value.span, help="a layer is passed to a block as an argument of its call",
            )  # fmt: skip
            raise Failed

    def _given(self, statement: ast.ParamDef, default: object, text: str) -> object:
        """The value that `--set` gives, of the kind of the default."""
        name = statement.name.text
        source = SourceFile("--set", f"{name}={text}")
        span = Span(source, len(name) + 1, len(source.text))
        related = (Label(statement.value.span, f"its value in the file is {show(default)}"),)
        found = Problems()
        expr = parse_expression(text, found)
        value: object = None
        failed = expr is None
        if expr is not None:
            try:
                value = Evaluator(found, Env({}))(expr)
            except Failed:
                failed = True
        if isinstance(default, str) and (failed or isinstance(value, Option)):
            value, failed = value.name if isinstance(value, Option) else text, False
        if isinstance(default, Option) and isinstance(value, str):
            value = Option(value, span)
        if failed:
            self._problems.error(
                "NN0706", f"`{text[:60]}` is no value for `{name}`", span, related=related,
                help=f"it takes {self._kind(default)}",
            )  # fmt: skip
            raise Failed
        if not _same_kind(value, default):
            self._problems.error(
                "NN0706", f"`{name}` takes {self._kind(default)}, not {show(value)}", span, related=related,
                help=f"for instance `--set {name}={_example(default)}`",
            )  # fmt: skip
            raise Failed
        self.origins[name] = span
        return float(value) if isinstance(default, float) and isinstance(value, int) else value

    def _kind(self, default: object) -> str:
        return _NAMES.get(type(default), "another kind of value") if default is not None else "any value"

    def _check_rules(self, statement: ast.ParamDef, value: object, evaluate: Evaluator) -> None:
        name = statement.name.text
        place = self.origins.get(name, statement.value.span)
        for option in statement.options:
            rule = option.name.text if option.name else ""
            if rule not in _RULES:
                place_of = option.name.span if option.name else option.span
                meant = rule[:3] if rule in ("minimum", "maximum") else next(iter(suggest(rule, _RULES)), "")
                self._problems.error(
                    "NN0216", f"a parameter has no option `{rule}`", place_of,
                    help=f"did you mean `{meant}`?" if meant else "it takes `min`, `max` and `choices`",
                    fixes=did_you_mean_fix(place_of, [meant] if meant else []),
                )  # fmt: skip
                continue
            bound = evaluate(option.value)
            if rule == "choices" and isinstance(bound, list | tuple):
                fine = any(_plain(value) == _plain(item) for item in bound)
                what = f"one of {show(bound)}"
            elif rule == "choices" or not _is_number(bound):
                kind, example = ("a list", "[10, 100]") if rule == "choices" else ("a number", "10")
                self._problems.error(
                    "NN0205", f"`{rule}` of a parameter must be {kind}, not {show(bound)}", option.value.span,
                    help=f"for instance `{rule}={example}`",
                )  # fmt: skip
                continue
            else:
                fine = _is_number(value) and (value >= bound if rule == "min" else value <= bound)  # type: ignore[operator]
                what = f"{show(bound)} or {'more' if rule == 'min' else 'less'}"
            if not fine:
                self._problems.error(
                    "NN0706", f"`{name}` must be {what}, not {show(value)}", place,
                    related=(Label(option.span, "asked for here"),),
                    help="give it one of these" if rule == "choices" else "give it a value in this range",
                )  # fmt: skip
                raise Failed


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: object) -> object:
    return value.name if isinstance(value, Option) else value


def _same_kind(value: object, default: object) -> bool:
    if default is None or value is None:
        return default is None
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return _is_number(value)
    if isinstance(default, list | tuple | range):
        return isinstance(value, list | tuple | range)
    return isinstance(value, type(default))


def _example(default: object) -> str:
    text = show(default).strip("`")
    return f"'{text}'" if any(c in text for c in ' []()"') else text
