"""Calls become catalogue entries: every argument found, checked and converted, every problem at its own place."""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import copy
from typing import Any

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.layers import catalogue
from nndsl.layers.build import category_of, default_of, make
from nndsl.layers.entry import Arg, ArgumentError, ConfigError, Entry
from nndsl.layers.kinds import ListOf, Maybe
from nndsl.layers.values import Option, Unbound, show
from nndsl.passes.definitions import Block
from nndsl.passes.evaluate import Env, Evaluator, Failed
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
        self.values: Collection[str] = ()  # the names of the model's values
        self.shared: Collection[str] = ()  # and of its shared layers
        self.defaults: dict[str, object] = {}  # what the model's options say of arguments that are `none`

    # ------------------------------------------------------------------------------- nested entries

    def entry(self, value: object, category: str) -> Entry:
        match value:
            case Entry():
                return value
            case Unbound(call, env) if category == "layer" and self._own(call.func.text, env) is not None:
                from nndsl.passes.held import own_layer

                own = own_layer(self, call, env)
                if own is None or not self._named(own, call):
                    raise Reported
                return own
            case Unbound(call, env):
                cls = self.lookup(category, call.func.text, call.func.span, call)
                bound = self.bind(cls, call, env)
                if bound is None or not self._named(bound.entry, call):
                    raise Reported
                bound.entry.spans = self.spans[id(bound.entry)] = bound.spans
                return bound.entry
            case Option(name, span):
                block = self._own(name, self.evaluate.env) if category == "layer" else None
                if block is not None:
                    missing = [p.name.text for p in block.definition.parameters if p.default is None]
                    raise self._bare(name, missing)
                cls = self.lookup(category, name, span)
            case str():
                cls = self.lookup(category, value, None)
            case _:
                raise ArgumentError(f"must be {article(category)}, not {show(value)}", code="NN0205")
        missing = [a.name for a in cls.arguments.values() if a.required]
        if category == "layer":
            raise self._bare(cls.__name__, missing)
        if missing:
            wanted = " and ".join(f"`{name}`" for name in missing)
            text = f"{cls.__name__}({', '.join(f'{name}=…' for name in missing)})"
            raise ArgumentError(
                f"needs its arguments: `{cls.__name__}` has no default for {wanted}",
                code="NN0204",
                help=f"write `{text}`",
            )
        return cls({}, default_of)

    def _named(self, entry: Entry, call: ast.CallExpr) -> bool:
        """Whether a layer inside of another has a name that it can have; reports it otherwise."""
        from nndsl.passes.layer_names import fine_name

        name = getattr(entry, "name", None) if entry.category == "layer" else None
        place = next((a.value.span for a in call.args if a.name is not None and a.name.text == "name"), None)
        return name is None or place is None or fine_name(name, place, self.problems)

    @staticmethod
    def _bare(name: str, missing: Collection[str]) -> ArgumentError:
        text = f"{name}({'…' if missing else ''})"
        return ArgumentError(
            f"must be a layer: `{name}` needs its parentheses",
            code="NN0211",
            help=f"write `{text}`",
            instead=None if missing else (f"change to `{text}`", text),
        )

    @staticmethod
    def _own(name: str, env: Env) -> Block | None:
        """The block or layer of that name in the file, or in the one where `env` belongs."""
        return None if env.home is None else env.home.blocks.get(name)

    def lookup(self, category: str, name: str, span: Span | None, call: ast.CallExpr | None = None) -> type[Entry]:
        """The entry of that name; raises ArgumentError with a suggestion."""
        found = catalogue.find(category, name)
        if found is not None:
            return found
        from nndsl.passes.unknown import unknown_entry

        if name in self.evaluate.absent:
            raise Reported
        if category == "layer" and (name in self.values or name in self.shared):
            what = "a shared layer" if name in self.shared else "a value"
            raise ArgumentError(
                f"`{name}` is {what}, and a layer that is made here is meant",
                code="NN0211",
                span=span,
                help=f"a shared layer is called by itself: `x -> {name}`"
                if name in self.shared
                else "write the layer out, as in `TimeDistributed(Dense(4))`; values flow in from the left",
                whole=True,
            )
        home = self.evaluate.env.home
        raise unknown_entry(category, name, span, call, () if home is None else home.blocks)

    # ------------------------------------------------------------------------------------ arguments

    def bind(self, cls: type[Entry], call: ast.CallExpr, env: Env | None = None) -> Bound | None:
        """The entry that `call` makes of `cls`, or None where something is wrong (reported). `env` is what names mean
        in the call, where it was written elsewhere."""
        if env is None or env is self.evaluate.env:
            return self._bind(cls, call)
        here, self.evaluate.env = self.evaluate.env, env
        try:
            return self._bind(cls, call)
        finally:
            self.evaluate.env = here

    def _bind(self, cls: type[Entry], call: ast.CallExpr) -> Bound | None:
        arguments = dict(cls.arguments)
        common: dict[str, Arg] = getattr(cls, "common", {})
        tensor_args: dict[str, str] = getattr(cls, "tensor_args", {})
        given: dict[str, object] = {}
        spans: dict[str, Span] = {}
        tensors: dict[str, ast.Expr] = {}
        unnamed = False  # whether an argument stands where its name is missing
        fine = certain = True  # whether an entry can be made, and whether it is what the file means
        excess: list[ast.Arg] = []
        meant: set[str | None] = set()  # by arguments of unknown names; None where that is not clear
        named: ast.Arg | None = None  # the last argument with a name
        positional = list(arguments)
        for position, item in enumerate(call.args):
            if item.name is not None:
                name, named = item.name.text, item
                if name in tensor_args:
                    tensors[name] = item.value
                    spans[name] = item.value.span
                    continue
                if name not in arguments and name not in common:
                    certain = False
                    fine = self._unknown_argument(cls, item, call, meant) and fine
                    continue
            elif named is not None:
                fine = False
                unnamed = True
                self._unnamed(cls, item, named, [n for n in positional if n not in spans])
                continue
            elif position < len(positional):
                name = positional[position]
            else:
                fine = False
                excess.append(item)
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
            if len(call.args) > len(positional) and _is_list(cls, call):
                continue  # the items of a list one by one: said once, with the rest
            argument = arguments.get(name) or common[name]
            try:
                value = self._convert(cls, argument, item, call if position == 0 else None)
            except Reported:
                return None
            if value is not _FAILED:
                given[name] = value
                continue
            certain = False
            stand_in = _stand_in(cls, argument)
            if stand_in is _FAILED:
                fine = False
            else:
                given[name] = stand_in
        if excess:
            self._too_many(cls, excess, call, len(positional))
        missing = [a for a in arguments.values() if a.required and a.name not in spans and a.name not in meant]
        if missing and None not in meant and not unnamed:
            from nndsl.passes.call_errors import missing_arguments

            missing_arguments(self.problems, cls, missing, call)
            fine = False
        if not fine:
            return None
        entry = cls(given, default_of)
        entry.doubtful = not certain
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

    def _convert(self, cls: type[Entry], argument: Arg, item: ast.Arg, call: ast.CallExpr | None) -> object:
        try:
            value = self.evaluate(item.value)
        except Failed:
            return _FAILED
        try:
            return argument.kind.convert(value, self)
        except Reported:
            return _FAILED
        except ArgumentError as error:
            if call is not None:
                from nndsl.passes.call_errors import swapped

                if swapped(self, cls, call):
                    raise Reported from None
            span = error.span or item.value.span
            help, instead = error.help, error.instead
            if help is None and instead is None:
                from nndsl.passes.remedies import remedy

                help, instead = remedy(cls, argument, value, item.name is not None, self.values)
            message = error.about(f"`{argument.name}` of `{cls.title()}`")
            origins = self.evaluate.origins(item.value) if span == item.value.span else ()
            if origins:
                place = origins[0].span if isinstance(item.value, ast.NameRef) else None
                if instead is None or place is None or place.file.name == "--set":
                    instead, help = None, help if error.help else _given_above(item.value, origins)
                fixes = (Fix(instead[0], (Edit(place, instead[1]),)),) if instead and place is not None else ()
            else:
                fixes = (Fix(instead[0], (Edit(span, instead[1]),)),) if instead else ()
            self.problems.error(error.code, message, span, error.label, related=origins, help=help, fixes=fixes)
            return _FAILED

    def at_call(self, config: Entry, options: list[ast.Arg]) -> Any:
        """A layer as one call of it has it: `tokens(reverse=true)`. Raises Failed after reporting what is wrong."""
        own = copy(config)
        changed: dict[str, object] = {}
        for item in options:
            assert item.name is not None
            value = self._convert(type(config), type(config).arguments[item.name.text], item, None)
            if value is _FAILED:
                raise Failed
            changed[item.name.text] = value
            setattr(own, item.name.text, value)
        own.given = {**config.given, **changed}
        return own

    def _unknown_argument(self, cls: type[Entry], item: ast.Arg, call: ast.CallExpr, meant: set[str | None]) -> bool:
        """Reports it; whether the call can be checked further as if it were not there."""
        assert item.name is not None
        from nndsl.layers.foreign import HARMLESS
        from nndsl.passes.unknown import report_argument

        common: dict[str, Arg] = getattr(cls, "common", {})
        known = [*cls.arguments, *common, *getattr(cls, "tensor_args", {})]
        today = report_argument(cls, item.name, call, known, self.problems)
        if today is None and item.name.text in HARMLESS:
            return True
        meant.add(today)
        argument = cls.arguments.get(today or "") or common.get(today or "")
        if argument is not None and item.name.text in argument.formerly:
            self._convert(cls, argument, item, None)  # for what is wrong with the value as well
        return argument is not None and not argument.required and _stand_in(cls, argument) is not _FAILED

    def _too_many(self, cls: type[Entry], excess: list[ast.Arg], call: ast.CallExpr, most: int) -> None:
        counted = f"{most} argument{'' if most == 1 else 's'}" if most else "no arguments"
        extra = "this is one too many" if len(excess) == 1 else f"these are {len(excess)} too many"
        help = f"write `{cls.title()}()`"
        if most:
            help = f"its argument{' is' if most == 1 else 's are'} {_names(list(cls.arguments))}"
        written = ", ".join(item.span.text for item in call.args if item.name is None)
        if not most and call.args and all(isinstance(item.value, ast.NameRef) for item in excess):
            help = f"values flow in from the left: `(…, {written}) -> {cls.title()}()`"
        fixes: tuple[Fix, ...] = ()
        place = excess[0].span.to(excess[-1].span)
        if _is_list(cls, call):
            text = f"({written})"
            place = call.args[0].span.to(call.args[-1].span)
            help = f"`{next(iter(cls.arguments))}` is one argument: write `{text}`"
            fixes = (Fix(f"change to `{text}`", (Edit(place, text),)),)
        self.problems.error(
            "NN0207",
            f"`{cls.title()}` takes {counted}, and {extra}",
            place,
            "too many",
            help=help,
            fixes=fixes,
        )

    def _unnamed(self, cls: type[Entry], item: ast.Arg, before: ast.Arg, free: list[str]) -> None:
        text = f"{free[0]}={item.value.span.text}" if free else ""
        option = isinstance(item.value, ast.NameRef) and catalogue.find("activation", item.value.name) is not None
        if option and "activation" in free:
            text = f"activation={item.value.span.text}"
        self.problems.error(
            "NN0207",
            f"an argument of `{cls.title()}` without a name cannot stand behind one with a name",
            item.span,
            "which argument is this?",
            related=(Label(before.span, "has a name"),),
            help=f"give it its name, for instance `{text}`" if text else "leave it out",
            fixes=(Fix(f"change to `{text}`", (Edit(item.span, text),)),) if option and "activation" in free else (),
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


def _given_above(expr: ast.Expr, origins: tuple[Label, ...]) -> str:
    """What to do where the value of an argument comes from a parameter."""
    if isinstance(expr, ast.NameRef):
        return "change the value where it is given"
    return f"change `{expr.span.text[:40]}`, or the value{'s' if len(origins) > 1 else ''} that it is made from"


_FAILED = object()
_FLAGS = ("use_bias", "trainable", "name", "seed", "scale", "center")


def _stand_in(cls: type[Entry], argument: Arg) -> object:
    """A value for an argument that was wrong, if the shapes do not depend on it: a call with one such mistake is
    checked further, so that others are found in the same run."""
    if cls.category != "layer":
        return _FAILED
    category = category_of(argument.kind)
    if category == "activation" and argument.required:
        return make("activation", "linear")
    if argument.required or (
        category not in ("activation", "initializer", "regularizer", "constraint") and argument.name not in _FLAGS
    ):
        return _FAILED
    return default_of(argument)


def _is_list(cls: type[Entry], call: ast.CallExpr) -> bool:
    """Whether a call gives the items of its first argument, a list, one by one."""
    first = next(iter(cls.arguments.values()), None)
    kind = first.kind if first is not None else None
    kind = kind.kind if isinstance(kind, Maybe) else kind
    return (
        isinstance(kind, ListOf)
        and len(call.args) > 1
        and all(item.name is None and not isinstance(item.value, ast.TupleExpr | ast.ListExpr) for item in call.args)
    )


def article(category: str) -> str:
    """ "an activation" """
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
        help = error.help or (None if fixes else f"give {article(category)} by its name; `nndsl layers` lists them")
        binder.problems.error(error.code, error.about(what), span, error.label, help=help, fixes=fixes)
        return None
