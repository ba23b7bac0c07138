"""Names of an unpacking that nothing reads become `_`: a layer or a method gives all its results, needed or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nndsl import code
from nndsl.records import replace
from nndsl.targets.rewrite import parts_of

_NOBODY = code.Name("_")


def discard_unread(body: Iterable[code.Stmt]) -> list[code.Stmt]:
    """The statements of a whole function, with `_` for the unpacked names that none of them reads."""
    statements = list(body)
    read = set(reads(tuple(statements)))
    return [_statement(statement, read) for statement in statements]


def _statement(statement: code.Stmt, read: set[str]) -> code.Stmt:
    match statement:
        case code.Assign(targets) if len(targets) > 1:
            return replace(statement, targets=tuple(_target(target, read) for target in targets))
        case code.For(_, _, body) | code.With(_, body):
            return replace(statement, body=tuple(_statement(item, read) for item in body))
    return statement


def _target(target: code.Expr, read: set[str]) -> code.Expr:
    match target:
        case code.Name(name):
            return target if name in read else _NOBODY
        case code.Tuple(items):
            kept = tuple(_target(item, read) for item in items)
            return _NOBODY if all(item == _NOBODY for item in kept) else code.Tuple(kept)
    return target


def reads(node: Any) -> Iterator[str]:
    """The names that code reads: all but those in the targets of assignments."""
    match node:
        case tuple():
            for item in node:
                yield from reads(item)
        case code.Name(name):
            yield name
        case code.Assign(targets, value):
            yield from reads(value)
            for target in targets:
                if not isinstance(target, code.Name | code.Tuple):
                    yield from reads(target)
        case _:
            for field in parts_of(type(node)) or ():
                yield from reads(getattr(node, field))
