"""Compile-time values: arithmetic, comparisons, lists, choices.

Bounded: integers stay under MAX_BITS bits, floats finite, lists under MAX_ITEMS items, strings under MAX_TEXT
characters.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from nndsl import code
from nndsl.diagnostics.model import Label, Problems, TooManyProblems
from nndsl.ir.dims import Formula
from nndsl.ir.types import TensorType
from nndsl.layers.traced import TracedInt, combined, negated, traced
from nndsl.layers.values import Option, Unbound, show
from nndsl.records import record
from nndsl.source import Span
from nndsl.syntax import ast

MAX_BITS = 256
MAX_ITEMS = 100_000
MAX_MADE = 5_000_000  # items of all lists, and characters of all strings, that a program computes
MAX_TEXT = 10_000
_BROKEN = ("NN0103", "NN0104", "NN0105", "NN0106", "NN0183", "NN0184")


class Failed(Exception):
    """The expression has no value; the problem has been reported."""


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


_Items = TypeVar("_Items", bound=Sequence[object])
Types = Callable[[str], TensorType | None]


@record
class Env:
    """What names stand for: compile-time values, and the types of the values of the model or block. `scope` is the
    call of a block (ir.graph.BlockCall) in which traces have their meaning (layers/traced.py), `home` the file
    (passes/definitions.py)."""

    names: Mapping[str, object]
    types: Types | None = None
    scope: Any = None
    home: Any = None

    def bind(self, names: Mapping[str, object]) -> Env:
        """The same with more names."""
        return Env({**self.names, **names}, self.types, self.scope, self.home)


class Evaluator:
    """Evaluates expressions to: None, bool, int, float, str, list, tuple, range, Option (a bare name) and Unbound (a
    call that its place will understand). `env` holds the compile-time names in scope."""

    def __init__(self, problems: Problems, env: Env) -> None:
        self.problems, self.env = problems, env
        self._broken = [item.primary.span for item in problems.items if item.code in _BROKEN]
        self.absent: set[str] = set()  # names of definitions that are reported already: their uses stay silent

    def __call__(self, node: ast.Expr) -> object:
        """The value; raises Failed after reporting what is wrong."""
        match node:
            case ast.Literal():
                if self._broken and self._is_broken(node.span):
                    raise Failed
                return node.value
            case ast.NameRef() if node.name in self.absent:
                raise Failed
            case ast.NameRef():
                names = self.env.names
                return names[node.name] if node.name in names else Option(node.name, node.span)
            case ast.CallExpr():
                return Unbound(node, self.env)
            case ast.Paren():
                return self(node.inner)
            case ast.TupleExpr():
                return self._counted(tuple(self(item) for item in node.items), node)
            case ast.ListExpr():
                return self._counted([self(item) for item in node.items], node)
            case ast.RangeExpr():
                return self._range(node)
            case ast.Unary():
                return self._unary(node)
            case ast.Binary():
                return self._binary(node)
            case ast.IfElse():
                return self(node.then if self.truth(node.condition) else node.otherwise)
            case ast.ErrorExpr():
                raise Failed
            case ast.Flow() | ast.Branch() | ast.Repeat():
                self._fail(
                    "NN0211",
                    "a flow cannot be the value of an argument",
                    node.span,
                    "known only when the program runs",
                    help="give the flow a name in a statement of its own; arguments take values that are known now",
                )
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript():
                return self._subscript(node)
        raise Failed

    def _is_broken(self, span: Span) -> bool:
        """Whether the lexer has already reported what is written there (a string without an end, `4x`)."""
        return any(span.start <= place.start <= span.end and place.file is span.file for place in self._broken)

    def truth(self, node: ast.Expr) -> bool:
        value = self(node)
        if not isinstance(value, bool):
            example = f'{node.span.text} == "wide"' if isinstance(value, str) else f"{node.span.text} > 0"
            self._fail(
                "NN0214", f"a condition must be `true` or `false`, and this is {show(value)}", node.span,
                help=f"compare it with something: `{example if len(example) <= 40 else 'n > 0'}`"
                if isinstance(value, str | int | float) else "compare sizes or parameters: `n > 0`, `mode == wide`",
                related=self.origins(node),
            )  # fmt: skip
        return bool(value)

    def origins(self, node: ast.Expr) -> tuple[Label, ...]:
        """Where the parameters in an expression have their values from: the arguments of the block's call, or the
        file's parameters."""
        found: list[Label] = []
        call, home = self.env.scope, self.env.home
        for name, _ in bare_names(node):
            value = self.env.names.get(name, found)
            span = None
            if call is not None and name in call.arguments:
                span = call.places.get(name) if call.arguments[name] == value else None
            elif home is not None and home.params.values.get(name) == value and name in home.params.values:
                span = home.params.origins.get(name) or home.params.places[name]
            if span is not None and len(found) < 3:
                found.append(Label(span, f"`{name}` is {show(value)}"))
        return tuple(found)

    def _fail(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        help: str | None = None,
        related: tuple[Label, ...] = (),
    ) -> NoReturn:
        self.problems.error(code, message, span, label, help=help, related=related)
        raise Failed

    def _counted(self, value: _Items, node: ast.Expr) -> _Items:
        """A list within bounds, with all that it holds: lists that hold a list twice double at each level, and take
        hardly any memory until somebody goes through them."""
        count = 0
        stack: list[Sequence[object]] = [value]
        while stack:
            items = stack.pop()
            count += len(items)
            if count > MAX_ITEMS:
                self._fail("NN0702", f"a list of more than {MAX_ITEMS:,} items", node.span, help="take a shorter one")
            stack += [item for item in items if isinstance(item, list | tuple) and item]
        self._make(count, node)
        return value

    def _make(self, count: int, node: ast.Expr) -> None:
        self.problems.made += count
        if self.problems.made > MAX_MADE:
            self.problems.error(
                "NN0702", f"the program computes lists and strings of more than {MAX_MADE:,} items together",
                node.span, help="models compute far less: is a list made in a `repeat` that could be made once?",
            )  # fmt: skip
            raise TooManyProblems

    def _range(self, node: ast.RangeExpr) -> range:
        start, stop = self(node.start), self(node.stop)
        for value, part in ((start, node.start), (stop, node.stop)):
            if not isinstance(value, int) or isinstance(value, bool):
                self._fail("NN0214", f"a range runs between integers, and this is {show(value)}", part.span,
                           help="for instance `0..4`: 0, 1, 2, 3")  # fmt: skip
        assert isinstance(start, int) and isinstance(stop, int)
        if stop - start > MAX_ITEMS:
            self._fail("NN0702", f"a range of more than {MAX_ITEMS:,} numbers", node.span, help="take a shorter one")
        return range(start, stop)

    def _unary(self, node: ast.Unary) -> object:
        if node.op == "not":
            return not self.truth(node.operand)
        value: Any = self(node.operand)
        if not _is_number(value):
            self._fail("NN0214", f"`{node.op}` takes a number, and this is {show(value)}", node.operand.span,
                       help=_number_help(value))  # fmt: skip
        if node.op == "+":
            return value
        return negated(value)

    # ------------------------------------------------------------------------------- shapes and items

    def _attribute(self, node: ast.Attribute) -> object:
        """`x.shape` and `x.dtype`: the shape has the batch axis first."""
        type_ = self._type(node)
        if type_ is None:
            what = node.name.text
            self._fail(
                "NN0214",
                f"`{node.span.text[:40]}` has no value here",
                node.span,
                help=f"a choice is written by its name alone, as in `{what}`"
                if what not in ("shape", "dtype")
                else "`x.shape[i]` and `x.dtype` are known of the values of a model or block",
            )
        if not type_.known:
            raise Failed
        if node.name.text == "dtype":
            return Option(type_.dtype, node.span)
        return tuple(
            traced(size, code.index(code.Attr(code.Name(_name_of(node.value)), "shape"), axis), self.env.scope)
            for axis, size in enumerate(type_.shape)
        )

    def _type(self, node: ast.Attribute) -> TensorType | None:
        if node.name.text not in ("shape", "dtype") or not isinstance(node.value, ast.NameRef):
            return None
        return self.env.types(node.value.name) if self.env.types is not None else None

    def _subscript(self, node: ast.Subscript) -> object:
        value = self(node.value)
        if not isinstance(value, tuple | list | range):
            self._fail("NN0214", f"`[…]` takes an item of a list, and this is {show(value)}", node.value.span,
                       help="lists, tuples and shapes have items: `sizes[0]`, `x.shape[-1]`")  # fmt: skip
        if len(node.items) != 1:
            self._fail("NN0214", "a list has one axis", node.span, help="write one index: `sizes[0]`")
        item = node.items[0]
        if item.is_slice:
            start, stop, step = (
                None if part is None else self._index(part) for part in (item.start, item.stop, item.step)
            )
            if step == 0:
                self._fail("NN0214", "the step of a slice is not 0", item.span, help="leave it out")
            return self._counted(value[start:stop:step], node)
        assert item.index is not None
        index = self._index(item.index)
        if not -len(value) <= index < len(value):
            whole = "axes with the batch axis" if isinstance(node.value, ast.Attribute) else "items"
            self._fail(
                "NN0308" if isinstance(node.value, ast.Attribute) else "NN0214",
                f"there is no item {index}: `{node.value.span.text[:40]}` has {len(value)} {whole}", item.span,
                help=f"the first is 0, the last {len(value) - 1} or -1",
            )  # fmt: skip
        found = value[index]
        if index < 0 and isinstance(node.value, ast.Attribute) and isinstance(found, TracedInt):
            base = found.trace.value if isinstance(found.trace, code.Index) else found.trace
            return traced(found, code.index(base, int(index)), found.scope)  # as it is written
        return found

    def _index(self, node: ast.Expr) -> int:
        value = self(node)
        if not isinstance(value, int) or isinstance(value, bool):
            self._fail("NN0214", f"an index is an integer, and this is {show(value)}", node.span,
                       help="for instance `sizes[0]`")  # fmt: skip
        return value

    def _binary(self, node: ast.Binary) -> object:
        if node.op in ("and", "or"):
            first = self.truth(node.left)
            return self.truth(node.right) if first is (node.op == "and") else first
        left, right = self(node.left), self(node.right)
        if node.op in ("==", "!="):
            self._make(max(_length(left), _length(right)), node)
            same = _plain(left) == _plain(right)
            return same if node.op == "==" else not same
        if node.op in _COMPARE:
            if (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
                return _COMPARE[node.op](left, right)
            self._operands(node, left, right)
        if node.op == "@":
            self._fail("NN0214", "`@` multiplies tensors, not values in arguments", node.op_span, help="write `*`")
        return self._arithmetic(node, left, right)

    def _arithmetic(self, node: ast.Binary, left: Any, right: Any) -> object:
        if node.op == "+" and (
            (isinstance(left, list) and isinstance(right, list))
            or (isinstance(left, tuple) and isinstance(right, tuple))
        ):
            if len(left) + len(right) > MAX_ITEMS:
                self._fail("NN0702", f"a list of more than {MAX_ITEMS:,} items", node.span, help="take a shorter one")
            return self._counted(operator.add(left, right), node)
        if isinstance(left, str) and isinstance(right, str) and node.op == "+":
            if len(left) + len(right) > MAX_TEXT:
                self._fail("NN0702", f"a string of more than {MAX_TEXT:,} characters", node.span, help="shorten it")
            self._make((len(left) + len(right)) // 100, node)
            return left + right
        if not (_is_number(left) and _is_number(right)):
            self._operands(node, left, right)
        if node.op in ("/", "//", "%") and right == 0:
            self._fail("NN0214", "division by zero", node.right.span, "this is 0", help="divide by another number")
        try:
            value: Any = self._power(node, left, right) if node.op == "**" else _ARITHMETIC[node.op](left, right)
        except (OverflowError, ZeroDivisionError):
            self._too_large(node)
        too_large = abs(value).bit_length() > MAX_BITS if isinstance(value, int) else not math.isfinite(value)
        if too_large:
            self._too_large(node)
        return combined(node.op, left, right, value)

    def _too_large(self, node: ast.Binary) -> NoReturn:
        self._fail(
            "NN0702",
            f"the result is too large: integers may have {MAX_BITS} bits",
            node.span,
            help="sizes and rates are far smaller: is an operator or a digit too many?",
        )

    def _power(self, node: ast.Binary, left: Any, right: Any) -> object:
        if isinstance(left, int) and isinstance(right, int):
            if right < 0:
                return float(left) ** right
            if abs(left) > 1 and right * abs(left).bit_length() > 2 * MAX_BITS:
                self._too_large(node)
        value = left**right
        if isinstance(value, complex):
            self._fail("NN0214", "a root of a negative number", node.span, help="the base must be 0 or more")
        return value

    def _operands(self, node: ast.Binary, left: object, right: object) -> NoReturn:
        wrong, value = (node.left, left) if not _is_number(left) else (node.right, right)
        if isinstance(value, Formula):
            message = f"`{wrong.span.text[:40]}` is {show(value)}, which is not known before the program runs"
            self._fail("NN0304", message, wrong.span, help="give the dimension a number where it is declared")
        other = node.right if wrong is node.left else node.left
        self.problems.error(
            "NN0214",
            f"`{node.op}` takes numbers, and this is {show(value)}",
            wrong.span,
            related=self.origins(wrong)
            or ((Label(other.span, ""),) if _is_number(right if wrong is node.left else left) else ()),
            help=_number_help(value),
        )
        raise Failed


def _length(value: object) -> int:
    return len(value) if isinstance(value, list | tuple) else 0


def _name_of(node: ast.Expr) -> str:
    return node.name if isinstance(node, ast.NameRef) else "x"


def _number_help(value: object) -> str:
    if isinstance(value, Option):
        return f"no number called `{value.name}` is known when the program is compiled: write the number itself"
    if isinstance(value, str):
        return "write it without quotes" if value.strip().isdigit() else "write a number in its place"
    return "write a number in its place"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: object) -> object:
    return value.name if isinstance(value, Option) else value


def bare_names(expr: ast.Expr) -> list[tuple[str, Span]]:
    """The bare names in an expression."""
    found: list[tuple[str, Span]] = []
    stack: list[ast.Expr] = [expr]
    while stack:
        item = stack.pop()
        match item:
            case ast.NameRef(name=name):
                found.append((name, item.span))
            case ast.TupleExpr(items=items) | ast.ListExpr(items=items):
                stack.extend(items)
            case ast.Binary(left=left, right=right):
                stack += [left, right]
            case ast.RangeExpr(start=start, stop=stop):
                stack += [start, stop]
            case ast.Unary(operand=operand):
                stack.append(operand)
            case ast.Paren(inner=inner):
                stack.append(inner)
            case ast.IfElse(then=then, condition=condition, otherwise=otherwise):
                stack += [then, condition, otherwise]
            case ast.Subscript(value=value, items=subscripts):
                stack.append(value)
                stack.extend(s.index for s in subscripts if s.index is not None)
    return found
