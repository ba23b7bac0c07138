"""Names that nothing bears: layers, options and arguments, each with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nndsl.diagnostics.model import Edit, Fix, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.layers import catalogue, foreign, left_out
from nndsl.layers.entry import ArgumentError, Entry
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.source import Span
from nndsl.syntax import ast

_SHOWN = 6
_ELSEWHERE = {
    "activation": "an activation",
    "loss": "a loss",
    "optimizer": "an optimizer",
    "metric": "a metric",
    "initializer": "an initializer",
    "regularizer": "a regularizer",
}


def unknown_entry(
    category: str, name: str, span: Span | None, call: ast.CallExpr | None, blocks: Iterable[str] = ()
) -> ArgumentError:
    """What to say where an argument names no entry of `category`; `blocks` are those of the file."""
    kind = category.replace("_", " ")
    article = "an" if kind[0] in "aeiou" else "a"

    def error(
        message: str, code: str, help: str | None, today: str | None = None, place: Span | None = span
    ) -> ArgumentError:
        instead = (f"change to `{today}`", today) if today else None
        return ArgumentError(message, code=code, span=place, help=help, instead=instead, whole=True)

    former = catalogue.find_former(category, name)
    if former is not None:
        today = catalogue.spelling(former) if name[:1].islower() else former.__name__
        return error(f"`{name}` is called `{today}` in today's Keras", "NN0210", None, today)
    refusal = catalogue.refusal(category, name)
    if refusal is not None:
        return error(f"`{name}` is not part of nndsl: {refusal.reason}", "NN0218", refusal.instead)
    instead = left_out.written(category, name)
    if instead is not None:
        return error(f"there is no {kind} called `{name}`", "NN0217", instead.advice)
    if category == "activation" and catalogue.find("layer", name) is not None:
        option = next((n for n in catalogue.names("activation") if n.replace("_", "") == name.lower()), None)
        whole = call.span if call is not None and not call.args else span
        message = f"`{name}` is a layer, and an activation is meant here"
        if option is None:
            return error(message, "NN0211", f"give it a place behind this layer: `-> {name}(…)`")
        return error(message, "NN0211", f"write `{option}`, or put the layer behind: `-> {name}()`", option, whole)
    code = "NN0202" if category == "layer" else "NN0217"
    message = f"there is no {kind} called `{name}`"
    same = foreign.equivalent(category, name)
    if same is not None and catalogue.find(category, same.partition("(")[0]) is not None:
        if call is None or not same.endswith(")"):
            return error(message, code, f"here it is `{same}`", same)
        return error(message, code, f"here it is `{same}`", None if call.args else same, call.span)
    if category == "optimizer_map" and catalogue.find("optimizer", name):
        text = name if call is None else call.span.text
        help = None if len(text) <= 60 else "put it into a map, as its first argument: `OptimizerMap(…)`"
        place = span if call is None else call.span
        return error(f"`{name}` is an optimizer, and a map of optimizers is meant here", code, help,
                     f"OptimizerMap({text})" if help is None else None, place)  # fmt: skip
    if category == "layer" and catalogue.find("activation", name):
        return error(f"`{name}` is an activation, and a layer is meant here", code, f"write `Activation({name})`")
    if re.fullmatch(r"\w{1,40}\([^\"'\n]{0,60}\)", name):
        return error(message, code, f"a call is written without quotes: `{name}`", name)
    candidates = [*spellings(category, name), *(blocks if category == "layer" else ())]
    close = suggest(name, candidates)
    help = did_you_mean(name, candidates)
    kinds = [other for other in _ELSEWHERE if other != category and catalogue.find(other, name) is not None]
    if kinds and not close:
        return error(
            f"`{name}` is {_ELSEWHERE[kinds[0]]}, and {article} {kind} is meant here", code, _example(category)
        )
    if help is None:
        help = _example(category)
    return error(message, code, help, close[0] if close else None)


def _example(category: str) -> str:
    names = sorted({catalogue.spelling(cls) for cls in catalogue.entries(category)})
    listed = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    more = f" and others: `nndsl layers --category {category}` lists them" if len(names) > _SHOWN else ""
    return f"there {'is' if len(names) == 1 else 'are'} {listed}{more}"


def spellings(category: str, name: str) -> list[str]:
    """The names of a category in the style of `name`: `Adam` or `adam`, and of each entry one where both are near."""
    found = catalogue.names(category)
    alike = [n for n in found if n[:1].isupper() == name[:1].isupper()]
    return alike or found


def unknown_layer(call: ast.CallExpr, shared: list[str], problems: Problems) -> ast.CallExpr | None:
    """Reports a call of no layer. Where it is plain which layer is meant, the call is given back under that name, so
    that its arguments can be checked too."""
    name = call.func
    former = catalogue.find_former("layer", name.text)
    if former is not None:
        return _former_layer(call, former, problems)
    refusal = catalogue.refusal("layer", name.text)
    if refusal is not None:
        problems.error(
            "NN0218",
            f"`{name.text}` is not part of nndsl: {refusal.reason}",
            name.span,
            help=refusal.instead,
        )
        return None
    activation = catalogue.find("activation", name.text)
    if activation is None and catalogue.find("function", name.text) is not None:
        from nndsl.passes.expression_errors import as_stage

        as_stage(call, problems)
        return None
    if activation is not None:
        text = f"Activation({name.text})"
        problems.error(
            "NN0202",
            f"`{name.text}` is an activation, not a layer",
            name.span,
            "an activation",
            help=f"write `{text}`, or `activation={name.text}` in the layer before it",
            fixes=() if call.args else (Fix(f"change to `{text}`", (Edit(call.span, text),)),),
        )
        return None
    same = foreign.equivalent("layer", name.text)
    lower = name.text.lower()
    if same is None and catalogue.find("activation", lower) and catalogue.find("layer", name.text) is None:
        near = suggest(name.text, catalogue.names("layer"), 1)
        if not near or near[0].lower() != lower:
            same = f"Activation({lower})" if not call.args else None
    advice = foreign.layer_advice(name.text)
    candidates = [*catalogue.names("layer"), *shared]
    close = [] if advice else [same] if same else suggest(name.text, candidates)
    help = advice or (f"here it is `{same}`" if same else None) or did_you_mean(name.text, candidates)
    span = call.span if same and same.endswith(")") else name.span
    fixes = did_you_mean_fix(span, close)
    shorter = _without_input_size(call) if close and span is name.span else call
    if shorter is not call:
        text = f"{close[0]}({', '.join(item.span.text for item in shorter.args)})"
        help = f"write `{text[:60]}`: how much comes in follows from what flows in"
        fixes = (Fix(f"change to `{text[:60]}`", (Edit(call.span, text),)),)
    problems.error(
        "NN0202",
        f"there is no layer called `{name.text}`",
        name.span,
        "not a layer",
        help=help or "`nndsl layers` lists the layers there are",
        fixes=fixes,
    )
    sure = len(close) == 1 and catalogue.find("layer", close[0]) is not None
    sure = sure and (close[0].lower() == lower or foreign.is_alike(name.text))
    return ast.CallExpr(call.span, ast.Ident(close[0], name.span), shorter.args) if sure else None


def _without_input_size(call: ast.CallExpr) -> ast.CallExpr:
    """`Conv2d(1, 32, 5)` of PyTorch without its 1; any other call as it is."""
    first = call.args[0] if call.args else None
    if first is None or first.name is not None or not foreign.says_input_first(call.func.text, len(call.args)):
        return call
    return ast.CallExpr(call.span, call.func, call.args[1:])


def _former_layer(call: ast.CallExpr, today: type[Entry], problems: Problems) -> ast.CallExpr:
    name, title = call.func, today.title()
    edits = [Edit(name.span, title)]
    fix = f"change to `{title}`"
    axes = re.search(r"(\d)D", title)
    rank = int(axes[1]) if axes else 0
    sizes = call.args[1 : 1 + rank]
    help = None
    # Convolution2D(32, 3, 3): the kernel was several arguments
    if (
        "onvolution" in name.text
        and rank > 1
        and len(sizes) == rank
        and all(item.name is None and isinstance(item.value, ast.Literal) for item in sizes)
    ):
        place = sizes[0].span.to(sizes[-1].span)
        text = f"({', '.join(item.span.text for item in sizes)})"
        edits.append(Edit(place, text))
        help = f"write `{title}({call.args[0].span.text}, {text})`: the size of the kernel is one argument"
        kernel = ast.Arg(place, None, ast.TupleExpr(place, tuple(item.value for item in sizes)))
        call = ast.CallExpr(call.span, name, (call.args[0], kernel, *call.args[1 + rank :]))
    problems.error(
        "NN0210",
        f"`{name.text}` is called `{title}` in today's Keras",
        name.span,
        f"`{title}` today",
        help=help,
        fixes=(Fix(fix, tuple(edits)),),
    )
    return ast.CallExpr(call.span, ast.Ident(title, name.span), call.args)


def _in_parts(title: str, today: str, parts: list[ast.Arg], name: ast.Ident, problems: Problems) -> None:
    """`nb_row=3, nb_col=3`: one argument today."""
    text = f"{today}=({', '.join(item.value.span.text for item in parts)})"
    first = parts[0].name is name
    fix = Fix(f"change to `{text}`", (Edit(parts[0].span.to(parts[-1].span), text),))
    file = name.span.file.text[parts[0].span.start : parts[-1].span.end]
    adjacent = file.count(",") == len(parts) - 1
    names = " and ".join(f"`{item.name.text}`" for item in parts if item.name is not None)
    problems.error(
        "NN0210",
        f"`{name.text}` of `{title}` is a part of `{today}` in today's Keras",
        name.span,
        f"`{today}` today",
        help=f"write `{text}` in place of {names}" if first else f"it goes into `{text}`",
        fixes=(fix,) if first and adjacent else (),
    )


def report_argument(
    cls: type[Entry], name: ast.Ident, call: ast.CallExpr, known: list[str], problems: Problems
) -> str | None:
    """Reports an argument that `cls` does not have; the argument that was meant, if one can be told."""
    title, span = cls.title(), name.span
    given = {item.name.text for item in call.args if item.name is not None}
    positional = list(cls.arguments)[: sum(item.name is None for item in call.args)]
    for argument in cls.arguments.values():
        if name.text in argument.formerly:
            parts = [item for item in call.args if item.name is not None and item.name.text in argument.formerly]
            if len(parts) > 1:
                _in_parts(title, argument.name, parts, name, problems)
                return argument.name
            taken = argument.name in given or argument.name in positional
            problems.error(
                "NN0210",
                f"`{name.text}` of `{title}` is called `{argument.name}` in today's Keras",
                span,
                f"`{argument.name}` today",
                help=f"leave it out: `{argument.name}` is given already" if taken else None,
                fixes=() if taken else (Fix(f"change to `{argument.name}`", (Edit(span, argument.name),)),),
            )
            return argument.name
    free = [n for n in known if n not in given and n not in positional]
    same = foreign.argument_name(name.text, free)
    advice = catalogue.argument_advice(cls, name.text)
    close = [same] if same else [] if advice else suggest(name.text, free) or suggest(name.text, known)
    help = f"here it is `{same}`" if same else advice or did_you_mean(name.text, free) or did_you_mean(name.text, known)
    if help is None:
        shown = ", ".join(f"`{n}`" for n in list(cls.arguments)[:8]) + (", …" if len(cls.arguments) > 8 else "")
        help = f"`{title}` takes {shown}" if cls.arguments else f"`{title}` takes no arguments of its own"
    problems.error(
        "NN0203",
        f"`{title}` has no argument `{name.text}`",
        span,
        f"not an argument of `{title}`",
        help=help,
        fixes=did_you_mean_fix(span, close) if close and close[0] in free else (),
    )
    return close[0] if close else None
