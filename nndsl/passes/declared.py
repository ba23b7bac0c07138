"""`input x: float[T, 8]` in a block: what flows in must be of the declared type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nndsl.diagnostics.model import Label, Problems
from nndsl.ir.dims import Dim
from nndsl.ir.graph import Value
from nndsl.ir.types import DTYPES, UNKNOWN, show_shape
from nndsl.layers.values import Option, show
from nndsl.passes.evaluate import Failed
from nndsl.passes.infer import chain, origin
from nndsl.source import Span
from nndsl.syntax import ast

if TYPE_CHECKING:
    from nndsl.passes.flows import Flows


class DeclaredInput:
    """The types of a block's inputs, in one call. A dimension of one name is the same size in all of them."""

    def __init__(self, flows: Flows, problems: Problems) -> None:
        self.flows, self.problems = flows, problems
        self.sizes: dict[str, tuple[Dim, Value]] = {}  # what a name stands for, and the value that said so first

    def check(self, statement: ast.InputStmt, value: Value) -> None:
        """Reports where `value` is not what the statement declares; its type is unknown from then on."""
        for option in statement.options:
            self.problems.error(
                "NN0216", "an input of a block has no options", option.span,
                help="a fixed batch size is declared at the inputs of the model",
            )  # fmt: skip
        if statement.dims is None or statement.dtype is None:
            return
        if not (self._dtype(statement, value) and self._shape(statement, value)):
            value.type = UNKNOWN

    def _dtype(self, statement: ast.InputStmt, value: Value) -> bool:
        assert statement.dtype is not None
        name, have = statement.dtype.text, value.type.dtype
        wanted = {"float": self.flows.infer.float_dtype, "int": "int32"}.get(name, name)
        if wanted not in DTYPES:
            self.problems.error(
                "NN0313", f"there is no dtype `{name}`", statement.dtype.span, "not a dtype",
                help=f"the dtypes are {', '.join(('float', 'int', *DTYPES))}",
            )  # fmt: skip
            return False
        if wanted != have and not (name == "int" and not value.type.is_float and have != "bool"):
            self._report(statement, value, f"`{name}` numbers", statement.dtype.span)
            return False
        return True

    def _shape(self, statement: ast.InputStmt, value: Value) -> bool:
        dims, have = statement.dims or (), value.type.features
        if len(dims) != len(have):
            self._report(statement, value, f"{len(dims)} ax{'is' if len(dims) == 1 else 'es'} after the batch axis")
            return False
        for dim, size in zip(dims, have, strict=True):
            if dim.value is None:
                continue
            try:
                wanted = self.flows.binder.evaluate(dim.value)
            except Failed:
                return False
            if isinstance(wanted, Option):
                known, first = self.sizes.setdefault(wanted.name, (size, value))
                if known != size:
                    self._two_sizes(statement, value, wanted.name, (known, size), first, dim.span)
                    return False
                continue
            if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1:
                self.problems.error(
                    "NN0313", f"a dimension is a positive integer, a name or `?`, not {show(wanted)}", dim.span,
                    help="for any size write a name (`T`) or `?`",
                )  # fmt: skip
                return False
            if wanted != size:
                self._report(statement, value, f"{wanted} on this axis", dim.span)
                return False
        return True

    def _two_sizes(
        self, statement: ast.InputStmt, value: Value, name: str, sizes: tuple[Dim, Dim], first: Value, span: Span
    ) -> None:
        one, other = (origin(v.producer.inputs[0] if v.producer is not None else v) for v in (first, value))
        self.problems.error(
            "NN0302", f"`{name}` is {sizes[0]} for input `{first.name}`, and {sizes[1]} for `{statement.name.text}`",
            span, related=(Label(one, f"this is {first.type}"), Label(other, f"this is {value.type}")),
            help="a name is one size in all inputs of a call: write another for one of them, or `?`",
        )  # fmt: skip

    def _report(self, statement: ast.InputStmt, value: Value, wanted: str, span: object = None) -> None:
        source = value.producer.inputs[0] if value.producer is not None else value
        place = span if span is not None else statement.name.span
        self.problems.error(
            "NN0302", f"input `{statement.name.text}` is declared with {wanted}, and gets {value.type}",
            place, related=(Label(origin(source), f"this is {show_shape(value.type.features)}"),),  # type: ignore[arg-type]
            notes=chain((source,)), help="change the declaration, or what flows into the block",
        )  # fmt: skip
