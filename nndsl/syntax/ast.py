"""The syntax tree: what was written, with its places, before any name is looked up.

Every node is frozen and has a `span`. A flow (`x -> Dense(3)`) is an expression like any other; which expressions
make sense where is decided in `passes/elaborate`, which can say so better than a parser.
"""

from __future__ import annotations

from dataclasses import dataclass

from nndsl.source import Span


@dataclass(frozen=True, slots=True)
class Ident:
    """A name where it is written."""

    text: str
    span: Span


# ---------------------------------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Expr:
    span: Span


@dataclass(frozen=True, slots=True)
class Literal(Expr):
    """An integer, float, string, `true`, `false` or `none` (Python's `True`, `False`, `None` are the same)."""

    value: int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class NameRef(Expr):
    """A bare name: a parameter, a value, a shared layer, or an option like `relu`. `_` is one too."""

    name: str


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument of a call; `name` is None for a positional one."""

    span: Span
    name: Ident | None
    value: Expr


@dataclass(frozen=True, slots=True)
class CallExpr(Expr):
    """`NAME(args)`: a layer, a block or a function."""

    func: Ident
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class TupleExpr(Expr):
    """`(a, b)` or `(a,)`; `()` too."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ListExpr(Expr):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class RangeExpr(Expr):
    """`0..4`: the integers 0, 1, 2, 3."""

    start: Expr
    stop: Expr


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    """`op` is `-`, `+` or `not`."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """`op` is one of `+ - * / // % ** @ == != < <= > >= and or`; `op_span` is where it stands."""

    op: str
    left: Expr
    right: Expr
    op_span: Span


@dataclass(frozen=True, slots=True)
class IfElse(Expr):
    """`then if condition else otherwise`."""

    then: Expr
    condition: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Attribute(Expr):
    """`value.name`, as in `x.shape`."""

    value: Expr
    name: Ident


@dataclass(frozen=True, slots=True)
class SliceItem:
    """One subscript: `index` alone, or `start:stop:step` where `is_slice` (each part may be missing)."""

    span: Span
    is_slice: bool
    index: Expr | None = None
    start: Expr | None = None
    stop: Expr | None = None
    step: Expr | None = None


@dataclass(frozen=True, slots=True)
class Subscript(Expr):
    """`value[items]`."""

    value: Expr
    items: tuple[SliceItem, ...]


@dataclass(frozen=True, slots=True)
class Paren(Expr):
    """`( inner )`, kept because parentheses make a stage of several stages."""

    inner: Expr


@dataclass(frozen=True, slots=True)
class Branch(Expr):
    """`branch { arm; arm }`, a stage."""

    arms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Repeat(Expr):
    """`repeat count { body }`, or `repeat names in iterable { body }`, a stage."""

    names: tuple[Ident, ...]
    count: Expr  # the count, or the iterable where `names` is not empty
    body: Expr


@dataclass(frozen=True, slots=True)
class Flow(Expr):
    """`source -> stage -> stage`: the first item is the source (or, inside a branch, repeat or parenthesised
    stage, the first stage), the others are stages. Always two items or more: one alone is that item itself.
    """

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ErrorExpr(Expr):
    """What could not be parsed (already reported); checks that meet it stay silent."""


# ----------------------------------------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class Stmt:
    span: Span


@dataclass(frozen=True, slots=True)
class DimExpr:
    """A dimension of an input or a weight: an expression (`784`, `T`, `units`) or `?` (`value` is None)."""

    span: Span
    value: Expr | None


@dataclass(frozen=True, slots=True)
class InputStmt(Stmt):
    """`input NAME: DTYPE[dims] with …`; inside a block or layer the type may be missing (`dims` None)."""

    name: Ident
    dtype: Ident | None
    dims: tuple[DimExpr, ...] | None
    options: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class AssignStmt(Stmt):
    """`NAME = flow` or `(a, _, c) = flow`; in a section (`train`, `options`, `data`) a setting."""

    targets: tuple[Ident, ...]
    is_tuple: bool
    value: Expr


@dataclass(frozen=True, slots=True)
class OutputStmt(Stmt):
    """`output NAME = flow with loss=…`; `value` is None for a bare `output NAME` (the value of that name)."""

    name: Ident
    value: Expr | None
    options: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class SharedStmt(Stmt):
    name: Ident
    value: Expr


@dataclass(frozen=True, slots=True)
class SubmodelStmt(Stmt):
    """`submodel NAME(sources) = target` (several targets as a tuple)."""

    name: Ident
    sources: tuple[Ident, ...]
    targets: tuple[Ident, ...]


@dataclass(frozen=True, slots=True)
class PenaltyStmt(Stmt):
    name: Ident
    value: Expr
    options: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class SourceStmt(Stmt):
    """`source NAME = reader(…) with test=…`, in a `data` section."""

    name: Ident
    value: Expr
    options: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class WeightStmt(Stmt):
    """`trainable NAME: [dims] = initializer` or `state NAME: [dims] = initializer`, in a `layer`."""

    trainable: bool
    name: Ident
    dtype: Ident | None
    dims: tuple[DimExpr, ...]
    initializer: Expr | None
    options: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class UpdateStmt(Stmt):
    name: Ident
    value: Expr
    options: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Section(Stmt):
    """`train { … }`, `data { … }`, `options { … }`."""

    kind: Ident
    body: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class ErrorStmt(Stmt):
    """A statement that could not be parsed (already reported). `declares` holds the names that it would have
    declared, so that their uses are not reported as unknown."""

    declares: tuple[Ident, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a block or layer, with its default."""

    span: Span
    name: Ident
    default: Expr | None


@dataclass(frozen=True, slots=True)
class ModelDef(Stmt):
    name: Ident
    body: tuple[Stmt, ...]
    comment: str = ""  # the comment lines that stand directly above, without their `#`


@dataclass(frozen=True, slots=True)
class BlockDef(Stmt):
    """`block NAME(parameters) { … }`, or with `is_layer` a `layer NAME(parameters) { … }`."""

    is_layer: bool
    name: Ident
    parameters: tuple[Parameter, ...]
    body: tuple[Stmt, ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ParamDef(Stmt):
    name: Ident
    value: Expr


@dataclass(frozen=True, slots=True)
class ImportDef(Stmt):
    path: Literal
    names: tuple[Ident, ...]


@dataclass(frozen=True, slots=True)
class File(Stmt):
    body: tuple[Stmt, ...]
