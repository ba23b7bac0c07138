"""What is wrong with the arguments of a call as a whole: some are missing, or stand in each other's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.layers.entry import Arg, ArgumentError, Entry
from nndsl.syntax import ast

if TYPE_CHECKING:
    from nndsl.passes.bind import Binder

_PLAIN = (ast.Literal, ast.NameRef, ast.TupleExpr, ast.ListExpr)


def swapped(binder: Binder, cls: type[Entry], call: ast.CallExpr) -> bool:
    """Whether the first two arguments, without names, would each suit the other's place; reports it then.

    `Dense(relu, 10)`, `Conv2D((3, 3), 32)`.
    """
    if len(call.args) < 2 or any(item.name is not None for item in call.args[:2]):
        return False
    pair, kinds = call.args[:2], list(cls.arguments.values())[:2]
    if len(kinds) < 2 or not all(isinstance(item.value, _PLAIN) for item in pair):
        return False
    if any(isinstance(item.value, ast.NameRef) and item.value.name in binder.evaluate.env.names for item in pair):
        return False  # a parameter: its value is at fault, not its place
    try:
        for item, argument in zip(pair, reversed(kinds), strict=True):
            argument.kind.convert(binder.evaluate(item.value), binder)
    except ArgumentError:
        return False
    first, second = (item.value.span for item in pair)
    names = [argument.name for argument in kinds]
    binder.problems.error(
        "NN0205",
        f"`{names[0]}` and `{names[1]}` of `{cls.title()}` stand in each other's place",
        first,
        f"`{names[0]}` comes first",
        related=(Label(second, f"then `{names[1]}`"),),
        help=f"write `{cls.title()}({second.text}, {first.text}{', …' if len(call.args) > 2 else ''})`",
        fixes=(Fix("swap them", (Edit(first, second.text), Edit(second, first.text))),),
    )
    return True


def missing_arguments(problems: Problems, cls: type[Entry], missing: list[Arg], call: ast.CallExpr) -> None:
    """Reports required arguments that a call does not give."""
    names = " and ".join(f"`{a.name}`" for a in missing)
    meanings = "; ".join(f"`{a.name}`: {a.doc[0].lower()}{a.doc[1:].rstrip('.')}" for a in missing)
    given = ", ".join(item.span.text for item in call.args)
    inner = f"{given}, " if given else ""
    sketch = ", ".join(f"{a.name}=…" for a in missing)
    problems.error(
        "NN0204",
        f"`{cls.title()}` is missing {names}",
        call.func.span,
        f"needs {names}",
        notes=(meanings,),
        help=f"write `{cls.title()}({inner[:60]}{sketch})`",
    )
