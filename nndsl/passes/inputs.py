"""`input NAME: DTYPE[dims] with batch=…`: declarations become values with types."""

from __future__ import annotations

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.dims import BATCH, Dim, fresh, symbol
from nndsl.ir.graph import Input, Model, Value
from nndsl.ir.types import DTYPES, FLOATS, TensorType
from nndsl.layers.values import Option, show
from nndsl.passes.evaluate import Evaluator, Failed
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.source import Span
from nndsl.syntax import ast

MAX_DIM = 2**40


class Inputs:
    """The inputs of one model. A free dimension of one name is the same in all of them."""

    def __init__(self, model: Model, evaluate: Evaluator, problems: Problems) -> None:
        self.model, self.evaluate, self.problems = model, evaluate, problems
        self.own_float = model.float_dtype  # as the file says, whatever the model is compiled in
        self.symbols: dict[str, Dim] = {}

    def fixed_batch(self, body: tuple[ast.Stmt, ...]) -> None:
        """Reads `with batch=50` of all inputs, ahead of their types."""
        place: Span | None = None
        for statement in body:
            if not isinstance(statement, ast.InputStmt):
                continue
            for option in statement.options:
                name = option.name.text if option.name else ""
                if name != "batch":
                    hint = did_you_mean(name, ["batch"]) or "an input takes `with batch=50`: a fixed batch size"
                    place = option.name.span if option.name else option.span
                    fixes = did_you_mean_fix(place, suggest(name, ["batch"])) if option.name else ()
                    what = f"an input has no option `{name}`" if name else "options of an input have names"
                    self.problems.error("NN0216", what, place, help=hint, fixes=fixes)
                    continue
                try:
                    size = self.evaluate(option.value)
                except Failed:
                    continue
                if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MAX_DIM:
                    self.problems.error(
                        "NN0313", f"a batch size is a positive integer, not {show(size)}", option.value.span,
                        help="for instance `with batch=50`",
                    )  # fmt: skip
                elif self.model.batch is not None and self.model.batch != size and place is not None:
                    self.problems.error(
                        "NN0313", f"a model has one batch size, and this is {size}", option.value.span, f"{size} here",
                        related=(Label(place, f"{self.model.batch} here"),), help="give both inputs one batch size",
                    )  # fmt: skip
                else:
                    self.model.batch, place = size, option.value.span

    def read(self, statement: ast.InputStmt) -> Value:
        """The input's value, of unknown type where the declaration is wrong (reported)."""
        name = statement.name.text
        dtype = self._dtype(statement)
        dims: list[Dim] = [BATCH if self.model.batch is None else self.model.batch]
        fine = dtype is not None
        for dim in statement.dims or ():
            size = self._dim(dim)
            if size is None:
                fine = False
            else:
                dims.append(size)
        value = Value(statement.name.span, name)
        if fine and dtype is not None and statement.dims is not None:
            value.type = TensorType(tuple(dims), dtype)
        self.model.inputs.append(Input(name, value, statement.span))
        return value

    def _dtype(self, statement: ast.InputStmt) -> str | None:
        if statement.dtype is None or statement.dims is None:
            self.problems.error(
                "NN0313", f"input `{statement.name.text}` of a model needs a type", statement.name.span,
                help=f"for instance `input {statement.name.text}: float[784]` or `int[T]`",
            )  # fmt: skip
            return None
        name = statement.dtype.text
        if name in ("float", self.own_float):
            return self.model.float_dtype
        if name == "int":
            return "int32"
        if name not in DTYPES:
            known = ["float", "int", *DTYPES]
            from nndsl.layers.foreign import equivalent

            same = equivalent("dtype", name)
            close = [same] if same else suggest(name, known)
            self.problems.error(
                "NN0313", f"there is no dtype `{name}`", statement.dtype.span, "not a dtype",
                help=f"here it is `{same}`" if same
                else did_you_mean(name, known) or f"the dtypes are {', '.join(f'`{k}`' for k in known)}",
                fixes=did_you_mean_fix(statement.dtype.span, close),
            )  # fmt: skip
            return None
        if name in FLOATS:
            self.problems.error(
                "NN0313", f"`{statement.name.text}` is {name}, and the model computes in {self.own_float}",
                statement.dtype.span, f"not {self.own_float}",
                help="write `float`: data of any type are read as what the model computes in; "
                f"`options {{ float = {name} }}` makes that {name}",
                fixes=(Fix("change to `float`", (Edit(statement.dtype.span, "float"),)),),
            )  # fmt: skip
            return None
        return name

    def _dim(self, dim: ast.DimExpr) -> Dim | None:
        if dim.value is None:
            return fresh()
        try:
            value = self.evaluate(dim.value)
        except Failed:
            return None
        if isinstance(value, Option):
            return self.symbols.setdefault(value.name, symbol(value.name))
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_DIM:
            return value
        help = "for any size write a name (`T`) or `?`"
        if isinstance(value, int) and value > MAX_DIM:
            help = f"a size is at most {MAX_DIM:,}; " + help
        if value is None or value in (-1, 0):
            help = "the batch axis is never written; " + help
        if isinstance(value, tuple | list) and value:
            help = f"the sizes stand in the brackets one by one: `[{dim.span.text.strip('()[] ,')}]`"
        self.problems.error(
            "NN0313", f"a dimension is a positive integer, a name or `?`, not {show(value)}", dim.span, help=help
        )
        return None
