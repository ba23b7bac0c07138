"""Python code as data. Layers build it, targets print it; text of the user enters it only as `Literal` values or
as names that were validated, so nothing that a `.nn` file says can become code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from typing import TypeAlias

from nndsl.records import record

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@record
class Literal:
    """A Python literal, printed by `repr`: None, bool, int, float, str."""

    value: None | bool | int | float | str


@record
class Name:
    id: str

    def __post_init__(self) -> None:
        _check(self.id)


@record
class Attr:
    value: Expr
    name: str

    def __post_init__(self) -> None:
        _check(self.name)


@record
class Call:
    func: Expr
    args: tuple[Expr, ...] = ()
    kwargs: tuple[tuple[str, Expr], ...] = ()

    def __post_init__(self) -> None:
        for name, _ in self.kwargs:
            _check(name)


@record
class Tuple:
    items: tuple[Expr, ...]


@record
class List:
    items: tuple[Expr, ...]


@record
class Dict:
    items: tuple[tuple[Expr, Expr], ...]


@record
class Slice:
    """`start:stop:step` inside an Index."""

    start: Expr | None = None
    stop: Expr | None = None
    step: Expr | None = None


@record
class Index:
    """`value[items]`; `...` is `Name`-less: use `Literal` for numbers, `Slice` for ranges, `ELLIPSIS` for `...`."""

    value: Expr
    items: tuple[Expr | Slice, ...]


@record
class Ellipsis_:
    pass


@record
class Binary:
    """`op` is one of `+ - * / // % ** @ == != < <= > >= in is `is not` & | and or`."""

    op: str
    left: Expr
    right: Expr


@record
class Lambda:
    """`lambda parameter: body`; the parameter may be starred."""

    parameter: str
    body: Expr

    def __post_init__(self) -> None:
        _check(self.parameter.removeprefix("*"))


@record
class Unary:
    """`op` is `-`, `~` or `not`."""

    op: str
    operand: Expr


@record
class IfElse:
    """`then if condition else otherwise`"""

    then: Expr
    condition: Expr
    otherwise: Expr


@record
class Comprehension:
    """`[item for target in iterable]`"""

    item: Expr
    target: Expr
    iterable: Expr


@record
class Generator:
    """`item for target in iterable`, an argument of a call or, in parentheses, behind a `*`."""

    item: Expr
    target: Expr
    iterable: Expr


@record
class Star:
    """`*value`, an argument."""

    value: Expr


@record
class Format:
    """`f"{name}.path_conv2d"`: parts are texts, or expressions in braces."""

    parts: tuple[str | Expr, ...]


@record
class Deferred:
    """A call of what is not named yet: a class or function that is still being put together (`key`), with what is
    given to it whatever it will be. Targets put a Call in its place before anything is printed."""

    key: object
    args: tuple[Expr, ...] = ()
    kwargs: tuple[tuple[str, Expr], ...] = ()


@record
class DeferredList:
    """Modules for a `nn.Sequential` or `nn.ModuleList` (`func`), written as a loop where they are alike."""

    func: str
    items: tuple[Expr, ...]


Expr: TypeAlias = (
    Literal
    | Name
    | Attr
    | Call
    | Tuple
    | List
    | Dict
    | Index
    | Ellipsis_
    | Binary
    | Unary
    | Lambda
    | IfElse
    | Comprehension
    | Generator
    | Star
    | Format
    | Deferred
    | DeferredList
)
ELLIPSIS = Ellipsis_()


@record
class Assign:
    """`targets = value`, with `comment` behind it (or above it, where the line gets too long)."""

    targets: tuple[Expr, ...]
    value: Expr
    comment: str = ""
    annotation: str = ""  # the type of a single target, where a checker cannot see it


@record
class Do:
    """An expression for its effect."""

    value: Expr
    comment: str = ""


@record
class Return:
    value: Expr


@record
class If:
    condition: Expr
    body: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...] = ()


@record
class For:
    target: Expr
    iterable: Expr
    body: tuple[Stmt, ...]


@record
class With:
    """`with context:`"""

    context: Expr
    body: tuple[Stmt, ...]


@record
class Raise:
    value: Expr


@record
class Comment:
    text: str


@record
class Rounds:
    """The rounds of a repeat, each with its statements, the variable that flows in and the one that flows out. Targets
    put a loop, or the statements one after the other, in its place before anything is printed."""

    rounds: tuple[tuple[Stmt, ...], ...]
    starts: tuple[Expr, ...]
    ends: tuple[Expr, ...]


Stmt: TypeAlias = Assign | Do | Return | If | For | With | Raise | Comment | Rounds


def dotted(path: str) -> Expr:
    """`nn.Linear` as data."""
    head, *rest = path.split(".")
    result: Expr = Name(head)
    for name in rest:
        result = Attr(result, name)
    return result


def lift(value: object) -> Expr:
    """A Python value as data: numbers, strings, None, tuples, lists, dicts; an Expr is itself."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, tuple):
        return Tuple(tuple(lift(item) for item in value))
    if isinstance(value, list):
        return List(tuple(lift(item) for item in value))
    if isinstance(value, dict):
        return Dict(tuple((lift(key), lift(item)) for key, item in value.items()))
    if value is None or isinstance(value, bool | int | float | str):
        return Literal(value)
    raise TypeError(f"{type(value).__name__} is not a literal")


def call(func: str | Expr, *args: object, **kwargs: object) -> Call:
    """A call; `func` may be a dotted path, arguments may be plain values."""
    target = dotted(func) if isinstance(func, str) else func
    return Call(target, tuple(map(lift, args)), tuple((name, lift(value)) for name, value in kwargs.items()))


def method(value: Expr, name: str, *args: object, **kwargs: object) -> Call:
    """`value.name(args)`"""
    return call(Attr(value, name), *args, **kwargs)


def index(value: Expr, *items: object) -> Index:
    """`value[items]`; an item may be a plain value, an Expr or a Slice."""
    return Index(value, tuple(item if isinstance(item, Slice) else lift(item) for item in items))


def binary(op: str, left: object, right: object) -> Binary:
    return Binary(op, lift(left), lift(right))


_LONGEST_SUM = 500


def total(terms: Sequence[Expr]) -> Expr:
    """`a + b + c`; a sum of very many, which Python would read by recursion, is `sum([b, c], a)`."""
    if len(terms) > _LONGEST_SUM:
        return call("sum", list(terms[1:]), terms[0])
    return reduce(lambda left, right: Binary("+", left, right), terms)


def is_name(text: str) -> bool:
    """Whether `text` can stand in code as a name."""
    return _NAME.match(text) is not None


def _check(name: str) -> None:
    if not _NAME.match(name):
        raise ValueError(f"{name!r} is not a Python name")
