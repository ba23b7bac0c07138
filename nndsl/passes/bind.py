"""Calls become catalogue entries: every argument found, checked and converted, every problem at its own place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.layers import catalogue
from nndsl.layers.build import default_of
from nndsl.layers.entry import Arg, ArgumentError, ConfigError, Entry
from nndsl.layers.values import Option, Unbound, show
from nndsl.passes.evaluate import Evaluator, Failed
from nndsl.source import Span
from nndsl.syntax import ast


class Reported(ArgumentError):
    """A nested call failed, and has reported why."""

    def __init__(self) -> None:
        super().__init__("")


class Bound:
    """An entry with the places of its arguments. `tensors` are tensor arguments as written."""

    def __init__(self, entry: Entry, spans: dict[str, Span], tensors: dict[str, ast.Expr]) -> None:
        self.entry, self.spans, self.tensors = entry, spans, tensors


class Binder:
    """Binds calls in one scope of compile-time names."""

    def __init__(self, problems: Problems, evaluate: Evaluator) -> None:
        self.problems, self.evaluate = problems, evaluate
        self.spans: dict[int, dict[str, Span]] = {}  # of nested entries, by id, for messages about them
        self.defaults: dict[str, object] = {}  # what the model's options say of arguments that are `none`

    # ------------------------------------------------------------------------------- nested entries

    def entry(self, value: object, category: str) -> Entry:
        match value:
            case Entry():
                return value
            case Unbound(call):
                cls = self.lookup(category, call.func.text, call.func.span)
                bound = self.bind(cls, call)
                if bound is None:
                    raise Reported
                self.spans[id(bound.entry)] = bound.spans
                return bound.entry
            case Option(name, span):
                cls = self.lookup(category, name, span)
            case str():
                cls = self.lookup(category, value, None)
            case _:
                raise ArgumentError(f"must be {_article(category)}, not {show(value)}", code="NN0205")
        if category == "layer":
            raise ArgumentError(
                f"must be a layer: `{cls.__name__}` needs its parentheses",
                code="NN0211",
                instead=(f"change to `{cls.__name__}()`", f"{cls.__name__}()"),
            )
        missing = [a.name for a in cls.arguments.values() if a.required]
        if missing:
            wanted = " and ".join(f"`{name}`" for name in missing)
            raise ArgumentError(f"needs its arguments: `{cls.__name__}` has no default for {wanted}", code="NN0204")
        return cls({}, default_of)

    def lookup(self, category: str, name: str, span: Span | None) -> type[Entry]:
        """The entry of that name; raises ArgumentError with a suggestion."""
        found = catalogue.find(category, name)
        if found is not None:
            return found
        code = "NN0202" if category == "layer" else "NN0217"
        former = catalogue.find_former(category, name)
        if former is not None:
            today = former.__name__ if category in ("layer",) else catalogue.spelling(former)
            raise ArgumentError(
                f"is `{name}`, which Keras calls `{today}` today",
                code="NN0210",
                span=span,
                instead=(f"change to `{today}`", today),
            )
        refusal = catalogue.refusal(category, name)
        if refusal is not None:
            raise ArgumentError(f"is `{name}`: {refusal}", code="NN0218", span=span)
        hint = did_you_mean(name, catalogue.names(category))
        close = suggest(name, catalogue.names(category))
        raise ArgumentError(
            f"must be {_article(category)}, and there is none called `{name}`",
            code=code,
            span=span,
            help=hint or f"`nndsl layers` lists what there is (every {category} with its name)",
            instead=(f"change to `{close[0]}`", close[0]) if close else None,
        )

    # ------------------------------------------------------------------------------------ arguments

    def bind(self, cls: type[Entry], call: ast.CallExpr) -> Bound | None:
        """The entry that `call` makes of `cls`, or None where something is wrong (reported)."""
        arguments = dict(cls.arguments)
        common: dict[str, Arg] = getattr(cls, "common", {})
        tensor_args: dict[str, str] = getattr(cls, "tensor_args", {})
        given: dict[str, object] = {}
        spans: dict[str, Span] = {}
        names: dict[str, Span] = {}
        tensors: dict[str, ast.Expr] = {}
        fine = True
        positional = list(arguments)
        for position, item in enumerate(call.args):
            if item.name is not None:
                name = item.name.text
                if name in tensor_args:
                    tensors[name] = item.value
                    spans[name] = item.value.span
                    continue
                if name not in arguments and name not in common:
                    fine = False
                    self._unknown_argument(cls, item, call)
                    continue
                names.setdefault(name, item.name.span)
            elif position < len(positional):
                name = positional[position]
            else:
                fine = False
                self._too_many(cls, item, call, len(positional))
                continue
            if name in spans:
                fine = False
                self.problems.error(
                    "NN0207",
                    f"`{name}` of `{cls.title()}` is given twice",
                    item.span,
                    "again here",
                    related=(Label(spans[name], "first here"),),
                    help="leave one of them out",
                )
                continue
            spans[name] = item.value.span
            argument = arguments.get(name) or common[name]
            value = self._convert(cls, argument, item)
            if value is _FAILED:
                fine = False
            else:
                given[name] = value
        missing = [a for a in arguments.values() if a.required and a.name not in spans]
        if missing and fine:
            self._missing(cls, missing, call)
            fine = False
        if not fine:
            return None
        entry = cls(given, default_of)
        for name, argument in common.items():
            setattr(entry, name, given.get(name, argument.default))
        for name, value in self.defaults.items():
            if name in arguments and getattr(entry, name) is None:
                setattr(entry, name, value)
        try:
            entry.check()
        except ConfigError as error:
            self._config(cls, error, call, spans)
            return None
        return Bound(entry, spans, tensors)

    def _convert(self, cls: type[Entry], argument: Arg, item: ast.Arg) -> object:
        try:
            value = self.evaluate(item.value)
            return argument.kind.convert(value, self)
        except (Failed, Reported):
            return _FAILED
        except ArgumentError as error:
            span = error.span or item.value.span
            message = f"`{argument.name}` of `{cls.title()}` {error.message}"
            fixes = (Fix(error.instead[0], (Edit(span, error.instead[1]),)),) if error.instead else ()
            self.problems.error(error.code, message, span, error.label, help=error.help, fixes=fixes)
            return _FAILED

    def _unknown_argument(self, cls: type[Entry], item: ast.Arg, call: ast.CallExpr) -> None:
        assert item.name is not None
        name, span = item.name.text, item.name.span
        common: dict[str, Arg] = getattr(cls, "common", {})
        for argument in cls.arguments.values():
            if name in argument.formerly:
                self.problems.error(
                    "NN0210",
                    f"`{name}` is what Keras called `{argument.name}` of `{cls.title()}` before version 2",
                    span,
                    f"`{argument.name}` today",
                    fixes=(Fix(f"change to `{argument.name}`", (Edit(span, argument.name),)),),
                )
                return
        known = [*cls.arguments, *common, *getattr(cls, "tensor_args", {})]
        close = suggest(name, known)
        help = did_you_mean(name, known)
        if help is None:
            help = catalogue.argument_advice(cls, name) or (
                f"`{cls.title()}` takes {_names(list(cls.arguments))}"
                if cls.arguments
                else f"`{cls.title()}` takes no arguments of its own"
            )
        fixes = (Fix(f"change to `{close[0]}`", (Edit(span, close[0]),)),) if close else ()
        self.problems.error(
            "NN0203",
            f"`{cls.title()}` has no argument `{name}`",
            span,
            f"not an argument of `{cls.title()}`",
            help=help,
            fixes=fixes,
        )

    def _too_many(self, cls: type[Entry], item: ast.Arg, call: ast.CallExpr, most: int) -> None:
        counted = f"{most} argument{'' if most == 1 else 's'}" if most else "no arguments"
        self.problems.error(
            "NN0207",
            f"`{cls.title()}` takes {counted}, and this is one too many",
            item.span,
            "too many",
            help=f"its arguments are {_names(list(cls.arguments))}" if most else f"write `{cls.title()}()`",
        )

    def _missing(self, cls: type[Entry], missing: list[Arg], call: ast.CallExpr) -> None:
        names = " and ".join(f"`{a.name}`" for a in missing)
        meanings = "; ".join(f"`{a.name}`: {a.doc[0].lower()}{a.doc[1:].rstrip('.')}" for a in missing)
        given = ", ".join(item.span.text for item in call.args)
        inner = f"{given}, " if given else ""
        sketch = ", ".join(f"{a.name}=…" for a in missing)
        self.problems.error(
            "NN0204",
            f"`{cls.title()}` is missing {names}",
            call.func.span,
            f"needs {names}",
            notes=(meanings,),
            help=f"write `{cls.title()}({inner[:60]}{sketch})`",
        )

    def report_former(self, name: ast.Ident, today: type[Entry]) -> None:
        """A layer by the name that an earlier Keras gave it."""
        title = today.title()
        self.problems.error(
            "NN0210",
            f"`{name.text}` is what earlier versions of Keras called `{title}`",
            name.span,
            f"`{title}` today",
            fixes=(Fix(f"change to `{title}`", (Edit(name.span, title),)),),
        )

    def unknown_layer(self, name: ast.Ident, shared: list[str]) -> None:
        """A name that should be a layer's and is not."""
        former = catalogue.find_former("layer", name.text)
        refusal = catalogue.refusal("layer", name.text)
        if former is not None:
            self.report_former(name, former)
        elif catalogue.find("activation", name.text):
            text = f"Activation({name.text})"
            self.problems.error(
                "NN0202",
                f"`{name.text}` is an activation, not a layer",
                name.span,
                "an activation",
                help=f"write `{text}`, or `activation={name.text}` in the layer before it",
            )
        elif refusal is not None:
            self.problems.error("NN0218", f"`{name.text}` is not part of nndsl: {refusal}", name.span)
        else:
            candidates = [*catalogue.names("layer"), *shared]
            close = suggest(name.text, candidates)
            self.problems.error(
                "NN0202",
                f"there is no layer called `{name.text}`",
                name.span,
                "not a layer",
                help=did_you_mean(name.text, candidates) or "`nndsl layers` lists the layers there are",
                fixes=(Fix(f"change to `{close[0]}`", (Edit(name.span, close[0]),)),) if close else (),
            )

    def _config(self, cls: type[Entry], error: ConfigError, call: ast.CallExpr, spans: dict[str, Span]) -> None:
        places = [spans[name] for name in error.arguments if name in spans] or [call.func.span]
        self.problems.error(
            error.code,
            error.message,
            places[-1],
            related=tuple(Label(place, "") for place in places[:-1]),
            help=error.help,
        )


_FAILED = object()


def _article(category: str) -> str:
    return f"{'an' if category[0] in 'aeiou' else 'a'} {category.replace('_', ' ')}"


def _names(names: list[str]) -> str:
    shown = [f"`{name}`" for name in names[:8]]
    return ", ".join(shown) + (", …" if len(names) > 8 else "")


def option_entry(
    binder: Binder, expr: ast.Expr, category: str, what: str, evaluate: Callable[[ast.Expr], object]
) -> Any:
    """The entry that an option's value names (`loss=mse`, `optimizer = Adam(1e-3)`), or None (reported)."""
    try:
        return binder.entry(evaluate(expr), category)
    except (Failed, Reported):
        return None
    except ArgumentError as error:
        span = error.span or expr.span
        fixes = (Fix(error.instead[0], (Edit(span, error.instead[1]),)),) if error.instead else ()
        binder.problems.error(error.code, f"{what} {error.message}", span, error.label, help=error.help, fixes=fixes)
        return None
