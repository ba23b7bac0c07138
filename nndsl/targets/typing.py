"""Annotations that type checkers need: the call of a module gives `Any`, and so does what is computed from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from nndsl import code
from nndsl.records import replace


def typed(statements: Sequence[code.Stmt], result: code.Expr, tensors: Collection[str]) -> list[code.Stmt]:
    """Says that the value a method returns is a tensor, where a checker cannot tell. `tensors` are its arguments."""
    while isinstance(result, code.Call | code.Attr | code.Index):  # `y.movedim(1, -1)`
        result = result.func if isinstance(result, code.Call) else result.value
    unclear = _unclear(statements, tensors)
    given = [item for item in statements if isinstance(item, code.Assign) and item.targets == (result,)]
    if not isinstance(result, code.Name) or result.id not in unclear or not given:
        return list(statements)
    return [replace(item, annotation="Tensor") if item is given[0] else item for item in statements]


def _unclear(statements: Sequence[code.Stmt], tensors: Collection[str]) -> set[str]:
    """The variables that are `Any` to a checker in the end: what they are assigned decides, save for arguments."""
    found: set[str] = set()
    for item, certain in _assignments(statements):
        unclear = not item.annotation and is_any(item.value, found)
        for target in item.targets:
            for name in target.items if isinstance(target, code.Tuple) else (target,):
                if isinstance(name, code.Name) and name.id not in tensors:
                    if unclear:
                        found.add(name.id)
                    elif certain:
                        found.discard(name.id)
    return found


def _assignments(statements: Sequence[code.Stmt], certain: bool = True) -> Iterator[tuple[code.Assign, bool]]:
    """All assignments in their order, and whether each is made in any case."""
    for item in statements:
        if isinstance(item, code.Assign):
            yield item, certain
        elif isinstance(item, code.For | code.With | code.If):
            yield from _assignments(item.body, certain and isinstance(item, code.With))


def is_any(node: code.Expr, names: Collection[str] = ()) -> bool:
    """Whether a checker takes an expression for `Any`, as it does the call of a module; `names` are such variables."""
    match node:
        case code.Name(id):
            return id in names
        case code.Call(code.Attr(code.Name("self"), _)):
            return True
        case code.Call(code.Attr(value, _)) | code.Attr(value, _) | code.Index(value, _):
            return is_any(value, names)
        case code.Binary(_, left, right):
            return is_any(left, names) or is_any(right, names)
        case code.Unary(_, operand):
            return is_any(operand, names)
    return False
