"""Repeats in Keras: rounds that differ in the numbers of their layers' names alone become a `for` loop."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from nndsl import code
from nndsl.targets.rewrite import transformed

_NUMBERED = re.compile(r"(.*?)(?:_(\d+))?", re.S)
_COUNTER = code.Name("i")


def looped(rounds: code.Rounds) -> list[code.Stmt]:
    """The rounds as a loop, the first ahead of it where its names have no numbers; one after the other where they are
    not alike."""
    flat = [statement for statements in rounds.rounds for statement in statements]
    read = [_read(statements) for statements in rounds.rounds]
    for first in (0, 1):
        rest = read[first:]
        if len(rest) < 2 or any(shape != rest[0][0] for shape, _ in rest):
            continue
        numbers = [numbers for _, numbers in rest]
        if None in (number for item in numbers for number in item) or not numbers[0]:
            continue
        offsets = [[n - item[0] for n in item] for item in numbers]  # type: ignore[operator]
        starts = [item[0] for item in numbers]
        counted = starts == list(range(starts[0], starts[0] + len(starts)))  # type: ignore[arg-type,operator]
        carried, end = rounds.starts[first], rounds.ends[-1]
        steady = all(e == carried for e in rounds.ends[first:-1]) and all(s == carried for s in rounds.starts[first:])
        if any(item != offsets[0] for item in offsets) or not counted or not steady:
            continue
        body = _counting(rounds.rounds[first], offsets[0])
        if _assigned(rounds.rounds[first]) != carried:
            continue
        bounds = (starts[0], starts[-1] + 1)  # type: ignore[operator]
        loop = code.For(_COUNTER, code.call("range", *bounds), tuple(body))
        ahead = [statement for statements in rounds.rounds[:first] for statement in statements]
        if first == 0 and rounds.starts[0] != carried:
            continue
        behind = [] if end == carried else [code.Assign((end,), carried)]
        return [*ahead, loop, *behind]
    return flat


def _assigned(statements: Sequence[code.Stmt]) -> code.Expr | None:
    last = statements[-1]
    return last.targets[0] if isinstance(last, code.Assign) and len(last.targets) == 1 else None


def _is_name(part: Any) -> bool:
    return isinstance(part, code.Call) and any(name == "name" for name, _ in part.kwargs)


def _split(value: code.Expr) -> tuple[Any, str, int | None] | None:
    """(what stands before, the name without its number, the number) of a name in code."""
    text = value.value if isinstance(value, code.Literal) else value.parts[-1] if isinstance(value, code.Format) else ""
    match = _NUMBERED.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        return None
    before = value.parts[:-1] if isinstance(value, code.Format) else ()
    return before, match[1], int(match[2]) if match[2] else None


def _read(statements: Sequence[code.Stmt]) -> tuple[Any, list[int | None]]:
    """(the statements without the numbers in their names, those numbers)."""
    numbers: list[int | None] = []

    def without(before: Any, base: str, number: int | None) -> Any:
        numbers.append(number)
        return before, base

    rule = _naming(without)
    shape: list[Any] = []
    last = len(statements) - 1
    for position, statement in enumerate(statements):
        if isinstance(statement, code.Assign):
            targets = "end" if position == last else statement.targets
            shape.append((targets, transformed(statement.value, rule)))
        else:
            shape.append((None, transformed(statement, rule)))
    return tuple(shape), numbers


def _counting(statements: Sequence[code.Stmt], offsets: list[int]) -> list[code.Stmt]:
    """The statements of a round with the counter in the place of the numbers."""
    left = iter(offsets)

    def counted(before: Any, base: str, _: int | None) -> code.Expr:
        offset = next(left)
        number = _COUNTER if not offset else code.binary("+" if offset > 0 else "-", _COUNTER, abs(offset))
        return code.Format((*before, f"{base}_", number))

    rule = _naming(counted)
    return [transformed(statement, rule) for statement in statements]


def _naming(change: Callable[[Any, str, int | None], Any]) -> Callable[[Any], Any]:
    """A rule for `transformed` that puts `change(what stands before, the name without its number, the number)` in place
    of the name in each call that has one."""

    def rule(part: Any) -> Any:
        if not _is_name(part):
            return None
        kwargs = []
        for name, value in part.kwargs:
            found = _split(value) if name == "name" else None
            kwargs.append((name, transformed(value, rule) if found is None else change(*found)))
        args = tuple(transformed(arg, rule) for arg in part.args)
        return code.Call(transformed(part.func, rule), args, tuple(kwargs))

    return rule
