"""What is wrong with a stage of a flow: the rounds of a `repeat`, a number of inputs, a name that is no layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.ir.dims import Formula
from nndsl.ir.graph import Value
from nndsl.layers import catalogue
from nndsl.layers.base import Layer
from nndsl.layers.values import Option, show
from nndsl.source import Span
from nndsl.syntax import ast

if TYPE_CHECKING:
    from nndsl.passes.evaluate import Evaluator


def wrong_rounds(stage: ast.Repeat, value: object, evaluate: Evaluator) -> None:
    """`repeat 2.5 { … }`, `repeat [8, 8] { … }`, `repeat i in 3 { … }`."""
    span, written = stage.count.span, stage.count.span.text[:40]
    whole = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, Formula):
        message = f"`repeat` is written out when the program is compiled, and {show(value)} is not known then"
        help = "give the dimension a number where it is declared; over steps in time a recurrent layer repeats"
    elif stage.names:
        name = stage.names[0].text if len(stage.names) == 1 else "…"
        message = f"`repeat … in` takes a range or a list, and this is {show(value)}"
        help = "for instance `repeat i in 0..4 { … }` or `repeat width in [32, 64] { … }`"
        if whole:
            help = f"write `repeat {name} in 0..{written} {{ … }}`"
    else:
        message = f"`repeat` takes a number of rounds, and this is {show(value)}"
        help = "for instance `repeat 3 { … }`, or with a name: `repeat i in 0..3 { … }`"
        if isinstance(value, list | tuple | range):
            help = f"give its items a name: `repeat item in {written} {{ … }}`"
        elif isinstance(value, float):
            help = "take a whole number; `//` divides without a rest"
        elif whole:
            help = "0 rounds pass the value on, fewer there are not"
    evaluate.problems.error("NN0214", message, span, help=help, related=evaluate.origins(stage.count))


def wrong_item(stage: ast.Repeat, number: int, item: object, evaluate: Evaluator) -> None:
    """An item of the list that does not come apart into the names of a `repeat`."""
    names = stage.names
    count = f"has {len(item)} values" if isinstance(item, tuple | list) else "is one value"
    whole = stage.count.inner if isinstance(stage.count, ast.Paren) else stage.count
    written = isinstance(whole, ast.ListExpr | ast.TupleExpr) and number < len(whole.items)
    evaluate.problems.error(
        "NN0214",
        f"{len(names)} names are bound in each round, and item {number + 1} of the list, {show(item)}, {count}",
        whole.items[number].span if written else whole.span,  # type: ignore[attr-defined]
        related=(Label(names[0].span.to(names[-1].span), f"{len(names)} names"),),
        help=f"each item is a tuple of {len(names)}: `[({', '.join('…' for _ in names)}), …]`",
    )


def no_layer(stage: ast.NameRef, value: object, evaluate: Evaluator) -> None:
    """`x -> inner` where the block was given `inner=8`."""
    given = isinstance(value, Option)
    option = isinstance(value, Option) and catalogue.find("activation", value.name) is not None
    layer = value.name if isinstance(value, Option) and given and catalogue.find("layer", value.name) else "Dense"
    evaluate.problems.error(
        "NN0211", f"`{stage.name}` is {show(value)}, and a layer is meant here", stage.span,
        help=f"write `Activation({stage.name})`" if option
        else f"a layer is passed to a block with its parentheses: `{stage.name}={layer}(…)`",
        related=evaluate.origins(stage),
    )  # fmt: skip


def block_as_a_name(name: str, span: Span, parameters: int, is_stage: bool, problems: Problems) -> None:
    """`x -> Residual`, `(x, Residual) -> Add()`: a block without its parentheses."""
    text = f"{name}({'…' if parameters else ''})"
    if is_stage:
        message, fixes = f"`{name}` needs its parentheses", ()
        if not parameters:
            fixes = (Fix(f"change to `{text}`", (Edit(span, text),)),)  # type: ignore[assignment]
        problems.error("NN0211", message, span, "a block is called", help=f"write `{text}`", fixes=fixes)
        return
    problems.error(
        "NN0211", f"`{name}` is a block, and a value is meant here", span, "a block",
        help=f"let something flow into it: `x -> {text}`",
    )  # fmt: skip


def value_as_a_choice(name: str, span: Span, problems: Problems) -> None:
    """`x -> (Dense(8) if wide else x)`: a stage that passes the value on is `Identity()`."""
    problems.error(
        "NN0211", f"`{name}` is a value, and a stage is chosen here", span, "a value",
        help="`Identity()` passes on what flows in; a choice between whole flows has parentheses around them: "
        f"`y = (x -> Dense(8)) if wide else {name}`",
    )  # fmt: skip


def wrong_arity(config: Layer, name: Span, incoming: tuple[Value, ...], problems: Problems) -> None:
    """Too few values flow in, or too many."""
    least, most = config.arity
    count, title = len(incoming), config.title()
    if most is None:
        wanted = f"at least {least} inputs"
        help = f"let several values flow in as a tuple: `(a, b) -> {title}(…)`"
    else:
        wanted = f"{least if least == most else f'{least} to {most}'} input{'' if most == 1 else 's'}"
        help = (
            "merge them first, for instance with `Concatenate()` or `Add()`, or give each a call of its own"
            if count > most and not config.tensor_args
            else f"further values go in by name: `x -> {title}(…, {next(iter(config.tensor_args))}=…)`"
            if count > most
            else f"let several values flow in as a tuple: `(a, b) -> {title}(…)`"
        )
    places: dict[Span, list[str]] = {}
    for number, value in enumerate(incoming[:6], 1):
        place = value.span if value.producer is None else value.producer.layer.name_span
        places.setdefault(place, []).append(str(number))
    related = tuple(
        Label(place, f"input{'s' if len(numbers) > 1 else ''} {' and '.join(numbers)}")
        for place, numbers in places.items()
        if place != name
    )
    problems.error(
        "NN0212", f"`{title}` takes {wanted}, and {count} flow{'s' if count == 1 else ''} in", name,
        f"{count} input{'' if count == 1 else 's'}", related=related, help=help,
    )  # fmt: skip


def constant_as_a_value(ref: ast.NameRef, value: object, problems: Problems) -> None:
    """The name of a size where a tensor is meant."""
    problems.error(
        "NN0211", f"`{ref.name}` is {show(value)}, and a value that flows is meant", ref.span,
        help="what is known at compile time goes into arguments and expressions: "
        f"`x -> Dense({ref.name})`, `x * {ref.name}`",
    )  # fmt: skip
