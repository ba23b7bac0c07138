"""Which name of a Python program means which definition, and whether two programs differ in nothing but names.

A program in which a name of the user is spelled otherwise must be the same program: each use of a name leads to the
same definition, or to the same built-in, and attributes, keywords and strings differ in the user's name alone.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from typing import Any

_SCOPES = (ast.Module, ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp,
           ast.GeneratorExp)  # fmt: skip
Place = tuple[ast.AST, str]


class Bindings:
    """For each name that a program uses or defines (by the node and its field) what it stands for: a number in the
    order of first appearance, or the name of a built-in."""

    def __init__(self, module: ast.Module) -> None:
        self.names: dict[ast.AST, set[str]] = {}
        self.outside: dict[ast.AST, tuple[ast.AST, ...]] = {}
        self.uses: list[tuple[ast.AST, str, str, tuple[ast.AST, ...]]] = []
        self._walk(module, ())
        numbers: dict[Place, int] = {}
        self.meaning: dict[tuple[int, str], object] = {}
        for node, field, name, scopes in self.uses:
            place = self._place(name, scopes)
            found: object = name if place is None else numbers.setdefault(place, len(numbers))
            self.meaning[id(node), field] = found

    def _place(self, name: str, scopes: tuple[ast.AST, ...]) -> Place | None:
        for at in range(len(scopes) - 1, -1, -1):
            if isinstance(scopes[at], ast.ClassDef) and at != len(scopes) - 1:
                continue  # a class's names are not seen in its methods
            if name in self.names.get(scopes[at], ()):
                return scopes[at], name
        assert hasattr(builtins, name) or name in ("__file__",), f"`{name}` is not defined"
        return None

    def _walk(self, node: ast.AST, scopes: tuple[ast.AST, ...]) -> None:
        scopes = self.outside.get(node, scopes)
        inner = (*scopes, node) if isinstance(node, _SCOPES) else scopes
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                self._define(node, "name", node.name, scopes)
            case ast.arg():
                self._define(node, "arg", node.arg, scopes)
            case ast.alias():
                self._define(node, "asname", node.asname or node.name.split(".")[0], scopes)
            case ast.ExceptHandler(name=str(name)):
                self._define(node, "name", name, scopes)
            case ast.Name(id=name, ctx=ast.Load()):
                self.uses.append((node, "id", name, scopes))
            case ast.Name(id=name):
                self._define(node, "id", name, scopes)
        self.outside.update(dict.fromkeys(_outside(node), scopes))
        for child in ast.iter_child_nodes(node):
            self._walk(child, inner)

    def _define(self, node: ast.AST, field: str, name: str, scopes: tuple[ast.AST, ...]) -> None:
        self.names.setdefault(scopes[-1], set()).add(name)
        self.uses.append((node, field, name, scopes))


def _outside(node: ast.AST) -> list[ast.AST]:
    """The parts of a scope that belong to the one around it."""
    match node:
        case ast.FunctionDef(args=args):
            every = (*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg)))
            kinds = filter(None, (*(arg.annotation for arg in every), node.returns))
            return [*node.decorator_list, *args.defaults, *filter(None, args.kw_defaults), *kinds]
        case ast.ClassDef():
            return [*node.decorator_list, *node.bases, *node.keywords]
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            return [node.generators[0].iter]
    return []


def differences(one: str, other: str, same: Callable[[str, str], bool]) -> Iterator[str]:
    """Where `other` is another program than `one`; `same` says whether a text of the first may be the second's."""
    first, second = ast.parse(one), ast.parse(other)
    try:
        known, found = Bindings(first), Bindings(second)
    except AssertionError as error:
        yield str(error)
        return
    yield from _compare(first, second, known, found, same)


def _compare(
    one: Any, other: Any, known: Bindings, found: Bindings, same: Callable[[str, str], bool], line: int = 0
) -> Iterator[str]:
    if type(one) is not type(other):
        yield f"line {line}: {_shown(one)} is {_shown(other)}"
        return
    if isinstance(one, list):
        if len(one) != len(other):
            yield f"line {line}: {len(one)} parts are {len(other)}"
            return
        for a, b in zip(one, other, strict=True):
            yield from _compare(a, b, known, found, same, line)
        return
    if isinstance(one, str):
        if one != other and not same(one, other):
            yield f"line {line}: {one!r} is {other!r}"
        return
    if not isinstance(one, ast.AST):
        if one != other and not (one is not None and one != one):
            yield f"line {line}: {one!r} is {other!r}"
        return
    line = getattr(other, "lineno", line)
    if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
        return  # a docstring
    for field, value in ast.iter_fields(one):
        here, there = known.meaning.get((id(one), field)), found.meaning.get((id(other), field))
        if here is not None or there is not None:
            if here != there:
                yield f"line {line}: `{_shown(one)}` means another thing: `{_shown(other)}`"
            continue
        yield from _compare(value, getattr(other, field), known, found, same, line)


def _shown(node: Any) -> str:
    return ast.unparse(node)[:80] if isinstance(node, ast.AST) else repr(node)
