"""Tensor expressions of flows become nodes: `x * sigmoid(gate) + 0.5`, `x[:, 0]`, `sum(x, axis=1)`.

What is known at compile time (numbers, parameters, sizes) is evaluated first and enters as a value with a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from nndsl.ir.graph import LayerUse, Value
from nndsl.ir.types import TensorType
from nndsl.layers import catalogue
from nndsl.layers.function import Function
from nndsl.layers.values import Option, show
from nndsl.passes import expression_errors as errors
from nndsl.passes.stop import Stop
from nndsl.source import Span
from nndsl.syntax import ast

if TYPE_CHECKING:
    from nndsl.passes.flows import Flows

LARGEST = 2**31


class Expressions:
    """Elaborates the expressions of one model's flows."""

    def __init__(self, flows: Flows) -> None:
        self.flows, self.problems = flows, flows.problems

    # ----------------------------------------------------------------------------------- what is what

    def reads(self, expr: ast.Expr) -> bool:
        """Whether an expression at the start of a flow is one of tensors. (An unknown name is said to be none.)"""
        match expr:
            case ast.Binary():
                return not errors.is_slip(expr)
            case ast.Unary() | ast.Subscript():
                return True
            case ast.CallExpr():
                return errors.is_function(expr.func.text)
        return False

    def value(self, expr: ast.Expr) -> Value:
        """The value of an expression; raises Stop after reporting what is wrong."""
        found = self._operand(expr)
        if found.number is not None:
            errors.no_tensor(expr, found.number, self.problems)
            raise Stop
        return found

    def _is_known(self, expr: ast.Expr) -> bool:
        """Whether an expression can be evaluated at compile time."""
        match expr:
            case ast.Literal() | ast.Attribute():
                return True
            case ast.NameRef():
                return expr.name in self.flows.binder.evaluate.env.names
            case ast.Paren():
                return self._is_known(expr.inner)
            case ast.Unary():
                return self._is_known(expr.operand)
            case ast.Binary():
                return self._is_known(expr.left) and self._is_known(expr.right)
            case ast.IfElse():
                return self._is_known(expr.then) and self._is_known(expr.otherwise)
            case ast.Subscript():  # `x.shape[-1]`; a part of a tensor is not known
                return self._is_known(expr.value)
        return False

    # -------------------------------------------------------------------------------------- operands

    def _operand(self, expr: ast.Expr) -> Value:
        while isinstance(expr, ast.Paren):
            expr = expr.inner
        if self._is_known(expr):
            return self._number(expr)
        match expr:
            case ast.Binary() if not errors.is_slip(expr):
                return self._binary(expr)
            case ast.Unary():
                return self._unary(expr)
            case ast.Subscript():
                return self._part(expr)
            case ast.CallExpr() if errors.is_function(expr.func.text):
                return self._call(expr)
            case ast.IfElse():
                chosen = self.flows.binder.evaluate.truth(expr.condition)
                return self._operand(expr.then if chosen else expr.otherwise)
            case ast.ListExpr():
                errors.list_operand(expr, self.problems)
                raise Stop
        values = self.flows._source(expr)
        if len(values) != 1:
            errors.several_values(expr, len(values), self.problems)
            raise Stop
        return values[0]

    def _number(self, expr: ast.Expr) -> Value:
        found = self.flows.binder.evaluate(expr)
        if not isinstance(found, int | float):
            what = f"`{expr.span.text}`" if isinstance(found, Option) else show(found)
            self._fail("NN0214", f"{what} is no number", expr.span, "a tensor or a number is meant",
                       "text, lists and choices are given to arguments, not computed with")  # fmt: skip
        return _weak(found, expr.span)

    def _both(self, *items: ast.Expr) -> list[Value]:
        """Operands one by one: what is wrong with each is said."""
        found: list[Value] = []
        failed = False
        for item in items:
            try:
                found.append(self._operand(item))
            except Exception as error:
                if not errors.is_reported(error):
                    raise
                failed = True
                if isinstance(item, ast.NameRef) and item.name in self.flows.scope.broken:
                    break  # `my-image`: a name with a dash, said where it is declared
        if failed:
            raise Stop
        return found

    # ------------------------------------------------------------------------------------- operators

    def _binary(self, expr: ast.Binary) -> Value:
        if expr.op in ("and", "or"):
            errors.logic(expr, self.problems)
            raise Stop
        chain = [expr]  # `a + b + c + …`, however long
        while isinstance(inner := chain[-1].left, ast.Binary) and not self._is_known(inner):
            if inner.op in ("and", "or") or errors.is_slip(inner):
                break
            chain.append(inner)
        left: ast.Expr | Value = chain[-1].left
        place = chain[-1].left.span
        for item in reversed(chain):
            operands = self._both(left, item.right) if isinstance(left, ast.Expr) else [left, *self._both(item.right)]
            left = self._apply(item.op, operands, [place, item.right.span], item.span, item.op_span)
            place = item.span
        assert isinstance(left, Value)
        return left

    def _unary(self, expr: ast.Unary) -> Value:
        if expr.op == "not":
            errors.logic(expr, self.problems)
            raise Stop
        operand = self._operand(expr.operand)
        if expr.op == "+":
            return operand
        sign = Span(expr.span.file, expr.span.start, expr.span.start + 1)
        if operand.number is not None:
            return _weak(-operand.number, expr.span)
        return self._apply("negative", [operand], [expr.operand.span], expr.span, sign)

    def _apply(self, sign: str, operands: list[Value], places: list[Span], span: Span, op: Span) -> Value:
        cls = catalogue.find("operator", sign)
        assert cls is not None and issubclass(cls, Function)
        config = cls({}, lambda argument: argument.default)
        return self.node(config, operands, dict(zip(cls.operands, places, strict=True)), span, op)

    def _part(self, expr: ast.Subscript) -> Value:
        given = [self._item(item) for item in expr.items]
        operand = self._operand(expr.value)
        written, items = self._whole(expr, given, operand)
        cls = catalogue.find("operator", "[]")
        assert cls is not None
        config = cls({}, lambda argument: argument.default)
        config.items = items  # type: ignore[attr-defined]
        places = {"x": expr.value.span} | {f"item.{i}": item.span for i, item in enumerate(written)}
        assert isinstance(config, Function)
        return self.node(config, [operand], places, expr.span, expr.value.span)

    def _whole(
        self, expr: ast.Subscript, given: list[int | slice | None], operand: Value
    ) -> tuple[list[ast.SliceItem], list[int | slice | None]]:
        """The items with whole axes in place of `..`."""
        rests = [position for position, item in enumerate(expr.items) if item.is_rest]
        if not rests:
            return list(expr.items), given
        if len(rests) > 1:
            self._fail("NN0214", "`..` stands twice between these brackets", expr.items[rests[1]].span, "again here",
                       "one of them stands for all axes that are not named")  # fmt: skip
        at = rests[0]
        named = sum(item is not None for item in given) - 1
        count = max(operand.type.rank - named, 0) if operand.type.known else 0
        written = [*expr.items[:at], *(expr.items[at],) * count, *expr.items[at + 1 :]]
        return written, [*given[:at], *(slice(None),) * count, *given[at + 1 :]]

    def _item(self, item: ast.SliceItem) -> int | slice | None:
        if not item.is_slice:
            assert item.index is not None
            return self._bound(item.index, new_axis=True)
        start, stop, step = (self._bound(part) for part in (item.start, item.stop, item.step))
        if step is not None and step < 1:
            assert item.step is not None
            self._fail("NN0214", f"the step of a range must be 1 or more, not {step}", item.step.span, "",
                       "`flip(x, axis=1)` turns an axis round")  # fmt: skip
        return slice(start, stop, step)

    def _bound(self, expr: ast.Expr | None, *, new_axis: bool = False) -> int | None:
        if expr is None:
            return None
        if not self._is_known(expr) and not isinstance(expr, ast.NameRef):
            found: object = expr
        else:
            found = self.flows.binder.evaluate(expr)
        if found is None and new_axis:
            return None
        if not isinstance(found, int) or isinstance(found, bool):
            text = expr.span.text if isinstance(found, Option | ast.Expr) else show(found).strip("`")
            self._fail("NN0214", f"a position is a whole number, and this is `{text[:40]}`", expr.span, "",
                       "positions are known when the program is compiled; `where` chooses by values")  # fmt: skip
        return found

    # ------------------------------------------------------------------------------------- functions

    def _call(self, call: ast.CallExpr) -> Value:
        cls = catalogue.find("function", call.func.text)
        if cls is None:
            errors.unknown_function(call, self.problems)
            self._arguments(call)
            raise Stop
        assert issubclass(cls, Function)
        arranged = errors.arranged(cls, call, self.problems)
        if arranged is None:
            raise Stop
        bound = self.flows.binder.bind(cls, arranged.call)
        operands: list[Value] = []
        places = dict(bound.spans) if bound is not None else {}
        failed = bound is None
        for name in cls.operands:
            items = arranged.operands.get(name, ())
            for position, item in enumerate(items):
                key = f"{name}.{position}" if name == cls.several else name
                places[key] = item.span
                try:
                    operands.append(self._operand(item))
                except Exception as error:
                    if not errors.is_reported(error):
                        raise
                    failed = True
        if failed or bound is None:
            raise Stop
        assert isinstance(bound.entry, Function)
        return self.node(bound.entry, operands, places, call.span, call.func.span)

    def _arguments(self, call: ast.CallExpr) -> None:
        """The arguments of a function that there is not: names in them are looked up all the same."""
        for arg in call.args:
            if arg.name is None and not isinstance(arg.value, ast.TupleExpr | ast.ListExpr | ast.Literal):
                self._both(arg.value)

    # ----------------------------------------------------------------------------------------- nodes

    def node(self, config: Function, operands: list[Value], places: dict[str, Span], span: Span, name: Span) -> Value:
        """The result of a function of values; of numbers alone it is a number."""
        numbers = [value.number for value in operands if value.number is not None]
        if operands and len(numbers) == len(operands) and type(config).folds() is not None:
            return self._fold(config, numbers, places, span)
        for value, place in zip(operands, self._operand_places(config, places), strict=True):
            if value.number is not None and (not config.numbers or len(numbers) == len(operands)):
                self._fail("NN0205", f"`{config.title()}` takes tensors, and this is a number", place, "a number",
                           "numbers that are known at compile time are computed with `+ - * / // % **`")  # fmt: skip
        use = LayerUse("", config, span, name, places)
        return self.flows._node(use, tuple(operands), {}, span)[0]

    def _operand_places(self, config: Function, places: dict[str, Span]) -> list[Span]:
        names = [name for name in places if name.partition(".")[0] in config.operands]
        order = {name: position for position, name in enumerate(config.operands)}
        return [places[name] for name in sorted(names, key=lambda n: order[n.partition(".")[0]])]

    def _fold(self, config: Function, numbers: list[int | float], places: dict[str, Span], span: Span) -> Value:
        function = type(config).folds()
        assert function is not None
        try:
            return _weak(function(*numbers), span)
        except (ValueError, OverflowError):
            listed = ", ".join(map(str, numbers))
            self._fail("NN0214", f"`{config.title()}({listed})` has no value", span, "",
                       "give it a number that it is defined for")  # fmt: skip

    def _fail(self, code: str, message: str, span: Span, label: str, help: str) -> NoReturn:
        self.problems.error(code, message, span, label, help=help)
        raise Stop


def _weak(number: int | float, span: Span) -> Value:
    if isinstance(number, int) and abs(number) >= LARGEST:
        number = float(number)
    dtype = "bool" if isinstance(number, bool) else "int32" if isinstance(number, int) else "float32"
    return Value(span, type=TensorType((), dtype, batched=False, weak=True), number=number)
