"""Options that are written as strings, as in Python: `activation='relu'`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nndsl import code
from nndsl.layers import catalogue
from nndsl.layers.entry import Kind
from nndsl.layers.kinds import Choice, Either, ListOf, Maybe, Of
from nndsl.passes.settings import OPTIONS
from nndsl.passes.train_section import SETTINGS
from nndsl.syntax import ast
from nndsl.syntax.names import is_reserved
from nndsl.syntax.walk import walk


def quoted_options(tree: ast.File) -> set[int]:
    """Where a string may lose its quotes: its argument takes options by their names, and nothing in the file bears the
    name, so that it means the same without."""
    found: set[int] = set()
    given: set[str] = set()  # every name that the file gives to something
    for node in walk(tree):
        match node:
            case ast.Ident(text=text):
                given.add(text)
            case ast.CallExpr():
                for expr, kind in _arguments(node):
                    found.update(_strings(expr, kind))
            case ast.OutputStmt(options=options):
                for option in options:
                    kind_of = _OUTPUT.get(option.name.text) if option.name is not None else None
                    if kind_of is not None:
                        found.update(_strings(option.value, kind_of))
            case ast.Section(kind=word, body=body) if word.text in ("train", "options"):
                for setting in body:
                    if isinstance(setting, ast.AssignStmt):
                        found.update(_strings(setting.value, _setting(word.text, setting.targets[0].text)))
    text = tree.span.file.text
    return {start for start in found if text[start + 1 : text.index(text[start], start + 1)] not in given}


_OUTPUT: dict[str, Kind[Any]] = {
    "loss": Of("loss"), "metrics": ListOf(Of("metric")), "weighted_metrics": ListOf(Of("metric")),
}  # fmt: skip


def _setting(section: str, name: str) -> Kind[Any] | None:
    if section == "options":
        return Choice(*OPTIONS[name]) if name in OPTIONS else None
    return SETTINGS[name][0] if name in SETTINGS else None


def _arguments(call: ast.CallExpr) -> Iterator[tuple[ast.Expr, Kind[Any]]]:
    """The arguments of a call of the catalogue, with what they take; none where several things have its name."""
    name = call.func.text
    entries = {entry for category in catalogue.categories() if (entry := catalogue.find(category, name)) is not None}
    if len(entries) != 1:
        return
    arguments = entries.pop().arguments
    positional = list(arguments.values())
    for place, item in enumerate(call.args):
        argument = arguments.get(item.name.text) if item.name is not None else None
        if item.name is None and place < len(positional):
            argument = positional[place]
        if argument is not None:
            yield item.value, argument.kind


def _strings(expr: ast.Expr, kind: Kind[Any] | None) -> Iterator[int]:
    """The strings in the value of an argument that name options."""
    while isinstance(kind, Maybe):
        kind = kind.kind
    if isinstance(expr, ast.ListExpr | ast.TupleExpr):
        for item in expr.items:
            yield from _strings(item, kind.kind if isinstance(kind, ListOf) else None)
        return
    if isinstance(kind, ListOf) and kind.single:
        kind = kind.kind
    if isinstance(expr, ast.Literal) and isinstance(expr.value, str) and _is_option(kind, expr.value):
        written = expr.span.text
        if written[1:-1] == expr.value:
            yield expr.span.start


def _is_option(kind: Kind[Any] | None, word: str) -> bool:
    if not code.is_name(word) or is_reserved(word):
        return False
    if isinstance(kind, Either):
        return any(_is_option(inner, word) for inner in kind.kinds)
    if isinstance(kind, Choice):
        return word in kind.names
    return isinstance(kind, Of) and catalogue.find(kind.category, word) is not None
