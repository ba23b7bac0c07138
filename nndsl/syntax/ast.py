"""The syntax tree: what was written, with its places, before any name is looked up.

Every node is frozen and has a `span`. A flow (`x -> Dense(3)`) is an expression like any other; which expressions
make sense where is decided in `passes/elaborate`, which can say so better than a parser.
"""

from __future__ import annotations

from nndsl.records import record
from nndsl.source import Span


@record
class Ident:
    """A name where it is written."""

    text: str
    span: Span


# ---------------------------------------------------------------------------------------------- expressions


@record
class Expr:
    span: Span


@record
class Literal(Expr):
    """An integer, float, string, `true`, `false` or `none` (Python's `True`, `False`, `None` are the same)."""

    value: int | float | str | bool | None


@record
class NameRef(Expr):
    """A bare name: a parameter, a value, a shared layer, or an option like `relu`. `_` is one too."""

    name: str


@record
class Arg:
    """One argument of a call; `name` is None for a positional one."""

    span: Span
    name: Ident | None
    value: Expr


@record
class CallExpr(Expr):
    """`NAME(args)`: a layer, a block or a function."""

    func: Ident
    args: tuple[Arg, ...]


@record
class TupleExpr(Expr):
    """`(a, b)` or `(a,)`; `()` too."""

    items: tuple[Expr, ...]


@record
class ListExpr(Expr):
    items: tuple[Expr, ...]


@record
class RangeExpr(Expr):
    """`0..4`: the integers 0, 1, 2, 3."""

    start: Expr
    stop: Expr


@record
class Unary(Expr):
    """`op` is `-`, `+` or `not`."""

    op: str
    operand: Expr


@record
class Binary(Expr):
    """`op` is one of `+ - * / // % ** @ == != < <= > >= and or`; `op_span` is where it stands."""

    op: str
    left: Expr
    right: Expr
    op_span: Span


@record
class IfElse(Expr):
    """`then if condition else otherwise`."""

    then: Expr
    condition: Expr
    otherwise: Expr


@record
class Attribute(Expr):
    """`value.name`, as in `x.shape`."""

    value: Expr
    name: Ident


@record
class SliceItem:
    """One subscript: `index` alone, or `start:stop:step` where `is_slice` (each part may be missing)."""

    span: Span
    is_slice: bool
    index: Expr | None = None
    start: Expr | None = None
    stop: Expr | None = None
    step: Expr | None = None
    is_rest: bool = False  # `..`: as many whole axes as there are left


@record
class Subscript(Expr):
    """`value[items]`."""

    value: Expr
    items: tuple[SliceItem, ...]


@record
class Paren(Expr):
    """`( inner )`, kept because parentheses make a stage of several stages."""

    inner: Expr


@record
class Branch(Expr):
    """`branch { arm; arm }`, a stage."""

    arms: tuple[Expr, ...]


@record
class Repeat(Expr):
    """`repeat count { body }`, or `repeat names in iterable { body }`, a stage."""

    names: tuple[Ident, ...]
    count: Expr  # the count, or the iterable where `names` is not empty
    body: Expr


@record
class Flow(Expr):
    """`source -> stage -> stage`: the first item is the source (or, inside a branch, repeat or parenthesised
    stage, the first stage), the others are stages. Always two items or more: one alone is that item itself.
    """

    items: tuple[Expr, ...]


@record
class ErrorExpr(Expr):
    """What could not be parsed (already reported); checks that meet it stay silent."""


# ----------------------------------------------------------------------------------------------- statements


@record
class Stmt:
    span: Span


@record
class DimExpr:
    """A dimension of an input or a weight: an expression (`784`, `T`, `units`) or `?` (`value` is None)."""

    span: Span
    value: Expr | None


@record
class InputStmt(Stmt):
    """`input NAME: DTYPE[dims] with …`; inside a block or layer the type may be missing (`dims` None)."""

    name: Ident
    dtype: Ident | None
    dims: tuple[DimExpr, ...] | None
    options: tuple[Arg, ...]


@record
class AssignStmt(Stmt):
    """`NAME = flow` or `(a, _, c) = flow`; in a section (`train`, `options`, `data`) a setting."""

    targets: tuple[Ident, ...]
    is_tuple: bool
    value: Expr


@record
class OutputStmt(Stmt):
    """`output NAME = flow with loss=…`; `value` is None for a bare `output NAME` (the value of that name)."""

    name: Ident
    value: Expr | None
    options: tuple[Arg, ...]


@record
class SharedStmt(Stmt):
    name: Ident
    value: Expr


@record
class SubmodelStmt(Stmt):
    """`submodel NAME(sources) = target` (several targets as a tuple)."""

    name: Ident
    sources: tuple[Ident, ...]
    targets: tuple[Ident, ...]


@record
class PenaltyStmt(Stmt):
    name: Ident
    value: Expr
    options: tuple[Arg, ...]


@record
class SourceStmt(Stmt):
    """`source NAME = reader(…) with test=…`, in a `data` section."""

    name: Ident
    value: Expr
    options: tuple[Arg, ...]


@record
class WeightStmt(Stmt):
    """`trainable NAME: [dims] = initializer` or `state NAME: [dims] = initializer`, in a `layer`."""

    trainable: bool
    name: Ident
    dtype: Ident | None
    dims: tuple[DimExpr, ...]
    initializer: Expr | None
    options: tuple[Arg, ...]


@record
class UpdateStmt(Stmt):
    name: Ident
    value: Expr
    options: tuple[Arg, ...]


@record
class Section(Stmt):
    """`train { … }`, `data { … }`, `options { … }`."""

    kind: Ident
    body: tuple[Stmt, ...]


@record
class ErrorStmt(Stmt):
    """A statement that could not be parsed (already reported). `declares` holds the names that it would have
    declared, so that their uses are not reported as unknown."""

    declares: tuple[Ident, ...]


@record
class Parameter:
    """A parameter of a block or layer, with its default."""

    span: Span
    name: Ident
    default: Expr | None


@record
class ModelDef(Stmt):
    name: Ident
    body: tuple[Stmt, ...]
    comment: str = ""  # the comment lines that stand directly above, without their `#`


@record
class BlockDef(Stmt):
    """`block NAME(parameters) { … }`, or with `is_layer` a `layer NAME(parameters) { … }`."""

    is_layer: bool
    name: Ident
    parameters: tuple[Parameter, ...]
    body: tuple[Stmt, ...]
    comment: str = ""

    @property
    def inputs(self) -> list[InputStmt]:
        """Its inputs in the order in which they are written, which is that of a call."""
        return [statement for statement in self.body if isinstance(statement, InputStmt)]

    @property
    def outputs(self) -> list[OutputStmt]:
        """Its outputs in the order in which they are written, which is that of the results."""
        return [statement for statement in self.body if isinstance(statement, OutputStmt)]


@record
class ParamDef(Stmt):
    """`param NAME = value with min=…`."""

    name: Ident
    value: Expr
    options: tuple[Arg, ...] = ()


@record
class ImportDef(Stmt):
    path: Literal
    names: tuple[Ident, ...]


@record
class File(Stmt):
    body: tuple[Stmt, ...]
