"""The parameters of a class or function that stands for several calls of a block: which there are, their names,
and what each call gives for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

from nndsl import code
from nndsl.layers.traced import Traced, plain
from nndsl.targets.arguments import argument_name
from nndsl.targets.names import attribute_name, python_name
from nndsl.targets.printing import literal
from nndsl.targets.rewrite import transformed
from nndsl.targets.units import Unit

_FITS = (("//", 2), ("-", 1), ("+", 1))
_LARGEST_FACTOR = 32


class Table:
    """The parameters of one family, by the values that its calls give for them."""

    def __init__(self, units: list[Unit], known: Mapping[str, Sequence[str]]) -> None:
        self.units, self.known = units, known
        self.given = {  # the block's own parameters whose values can stand in code
            name: tuple(_value(unit.call.arguments[name]) for unit in units)
            for name in units[0].call.arguments
            if name not in units[0].taken
        }
        forced = [dict(unit.forced) for unit in units]
        self.forced = {name: tuple(plain(item[name]) for item in forced) for name in forced[0]}
        self.used: dict[str, tuple[Any, ...]] = {}
        self.derived: dict[str, tuple[Any, ...]] = {}
        self.stored: list[str] = []

    def fill(self, columns: list[list[Any]], prefix: str) -> dict[int, code.Expr]:
        """What takes the place of each leaf that differs: its number → an expression of parameters."""
        found: dict[int, code.Expr] = {}
        for position in range(len(columns[0])):
            leaves = [column[position] for column in columns]
            vector = tuple(_leaf_value(leaf.node) for leaf in leaves)
            if all(item == vector[0] and type(item) is type(vector[0]) for item in vector):
                continue
            found[position] = self._expression(vector, leaves, prefix)
        return found

    def _expression(self, vector: tuple[Any, ...], leaves: list[Any], prefix: str) -> code.Expr:
        traced = self._traced(vector, leaves)
        if traced is not None:
            for name in _names_in(traced) or ():
                self._use(name, prefix)
            return _prefixed(traced, prefix)
        for name, values in self.given.items():
            if values == vector:
                self._use(name, prefix)
                return _prefixed(code.Name(name), prefix)
        for name, values in self.derived.items():
            if values == vector:
                self._store(name, prefix)
                return _prefixed(code.Name(name), prefix)
        hint = argument_name(leaves[0], self.known)
        fitted = self._fitted(vector, products=not hint.startswith("in_"))
        if fitted is not None:
            for name in _names_in(fitted) or ():
                if name in self.given:
                    self._use(name, prefix)
                else:
                    self._store(name, prefix)
            return _prefixed(fitted, prefix)
        items = self._by_items(vector)
        if items is not None:
            for item in items:
                for name in _names_in(item) or ():
                    self._use(name, prefix)
            return code.Tuple(tuple(_prefixed(item, prefix) for item in items))
        name = self._free(hint)
        self.derived[name] = vector
        self._store(name, prefix)
        return _prefixed(code.Name(name), prefix)

    def _by_items(self, vector: tuple[Any, ...]) -> list[code.Expr] | None:
        """The numbers of tuples, where each is a parameter of the block or the same in all calls: `(dilation, 0)`."""
        if any(type(v) is not tuple or len(v) != len(vector[0]) for v in vector):
            return None
        found: list[code.Expr] = []
        for column in zip(*vector, strict=True):
            name = next((name for name, values in self.given.items() if values == column), None)
            if name is None and len(set(column)) > 1:
                return None
            found.append(code.Literal(column[0]) if name is None else code.Name(name))
        return found

    def _traced(self, vector: tuple[Any, ...], leaves: list[Any]) -> code.Expr | None:
        """The expression that the file has for the leaf, where it is right in all calls."""
        value = leaves[0].node.value if isinstance(leaves[0].node, code.Literal) else None
        if not isinstance(value, Traced) or value.scope is not self.units[0].call:
            return None
        names = _names_in(value.trace)
        if names is None or not names or any(name not in self.given for name in names):
            return None
        for position, wanted in enumerate(vector):
            scope = {name: self.given[name][position] for name in names}
            if _evaluate(value.trace, scope) != wanted:
                return None
        return value.trace

    def _fitted(self, vector: tuple[Any, ...], products: bool) -> code.Expr | None:
        """A simple expression of parameters that is right in all calls: the half of a kernel pads it, a repeat has one
        round less than the stage is deep, the inner width is the outer one times `expand`."""
        if any(type(v) is not int for v in vector) or len(set(vector)) < 2:
            return None
        known = {
            name: values
            for name, values in (self.given | self.derived).items()
            if all(type(v) is int for v in values) and len(set(values)) > 1
        }
        for name, values in known.items():
            times = vector[0] // values[0] if values[0] else 0
            parts = values[0] // vector[0] if vector[0] else 0
            # One channel more or less than the layer has is a coincidence, twice or half as many is a design.
            offsets = _FITS if products else _FITS[:1]
            fits = [*offsets, ("*", times), ("//", parts)]
            for op, number in fits:
                simple = op in ("+", "-") or 2 <= number <= _LARGEST_FACTOR
                if simple and all(_OPERATORS[op](v, number) == w for v, w in zip(values, vector, strict=True)):
                    left, right = code.Name(name), code.Literal(number)
                    return code.Binary(op, right, left) if op == "*" else code.Binary(op, left, right)
        for one, other in combinations(known, 2) if products else ():
            columns = zip(known[one], known[other], vector, strict=True)
            if all(a * b == wanted for a, b, wanted in columns):
                return code.binary("*", code.Name(one), code.Name(other))
        return None

    def _use(self, name: str, prefix: str) -> None:
        self.used[name] = self.given[name]
        self._store(name, prefix)

    def _store(self, name: str, prefix: str) -> None:
        if prefix and name not in self.stored:
            self.stored.append(name)

    def _free(self, hint: str) -> str:
        name, number = hint, 2
        while name in self.derived or name in self.given or name in self.units[0].taken:
            name, number = f"{hint}_{number}", number + 1
        return name

    def _ordered(self) -> list[str]:
        more = [name for name in self._more() if name not in self.forced]
        return [*self.forced, *more]

    def _more(self) -> list[str]:
        incoming = [name for name in self.derived if name.startswith(("in_", "size", "features", "channels"))]
        others = [name for name in self.derived if name not in incoming]
        return [*incoming, *(name for name in self.given if name in self.used), *others]

    def parameters(self) -> list[tuple[str, str]]:
        """(name, annotation): the last ones have the file's defaults behind their types."""
        columns = self.used | self.derived | self.forced
        found = []
        optional = self._optional()
        for name in self._ordered():
            kind = _type(columns[name])
            found.append((python_name(name), f"{kind} = {literal(optional[name])}" if name in optional else kind))
        return found

    def arguments(self, position: int) -> tuple[code.Expr, ...]:
        result: list[code.Expr] = []
        for name in self._ordered():
            if name in self.forced:
                result.append(code.lift(dict(self.units[position].forced)[name]))
            elif name in self.used:
                result.append(code.lift(_written(self.units[position].call.arguments[name])))
            else:
                result.append(code.lift(self.derived[name][position]))
        return tuple(result)

    def defaults(self) -> tuple[Any, ...]:
        """The defaults of the last parameters, in order."""
        optional = self._optional()
        return tuple(optional[name] for name in self._ordered() if name in optional)

    def _optional(self) -> dict[str, Any]:
        """The defaults of the parameters at the end that have one in the file."""
        columns = self.used | self.derived | self.forced
        defaults: dict[str, Any] = {}
        for parameter in self.units[0].call.definition.parameters:
            value = getattr(parameter.default, "value", None)
            if isinstance(value, int | float | str | bool):
                defaults[parameter.name.text] = value
        found: dict[str, Any] = {}
        for name in reversed(self._ordered()):
            if name not in defaults or name in self.derived:
                break
            if _type((*columns[name], defaults[name])) != _type(columns[name]):
                break
            found[name] = defaults[name]
        return found


def _value(value: object) -> Any:
    """A parameter's value as a leaf has it; a value of its own kind where it can stand in no code."""
    if isinstance(value, list | tuple) and all(isinstance(item, int | float | str) for item in value):
        return tuple(plain(item) for item in value)
    if isinstance(value, int | float | str | bool):
        return plain(value)
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else object()


def _written(value: object) -> Any:
    """The same with the traces that it has in the body around the call."""
    if isinstance(value, list):
        return tuple(value)
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else value


def _leaf_value(node: Any) -> Any:
    if isinstance(node, code.Tuple):
        return tuple(plain(item.value) for item in node.items if isinstance(item, code.Literal))
    return plain(node.value)


def _type(values: tuple[Any, ...]) -> str:
    kinds = {type(value) for value in values}
    if kinds == {tuple}:
        item = {type(i) for value in values for i in value}
        inner = "float" if item - {int} else "int"
        lengths = {len(value) for value in values}
        return f"tuple[{', '.join([inner] * lengths.pop())}]" if len(lengths) == 1 else f"tuple[{inner}, ...]"
    if kinds <= {int, float} and float in kinds:
        return "float"
    return next(iter(kinds)).__name__


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "//": lambda a, b: a // b, "%": lambda a, b: a % b, "**": lambda a, b: a**b,
}  # fmt: skip


def _names_in(node: code.Expr) -> list[str] | None:
    """The names of an expression of parameters; None where it holds anything else."""
    match node:
        case code.Name(id):
            return [id]
        case code.Literal():
            return []
        case code.Unary(_, operand):
            return _names_in(operand)
        case code.Binary(_, left, right):
            first, second = _names_in(left), _names_in(right)
            return None if first is None or second is None else [*first, *(n for n in second if n not in first)]
    return None


def _evaluate(node: code.Expr, scope: Mapping[str, Any]) -> Any:
    try:
        match node:
            case code.Name(id):
                return scope[id]
            case code.Literal(value):
                return value
            case code.Unary("-", operand):
                return -_evaluate(operand, scope)
            case code.Binary(op, left, right):
                return _OPERATORS[op](_evaluate(left, scope), _evaluate(right, scope))
    except (TypeError, ValueError, ArithmeticError, KeyError):
        return None
    return None


def _prefixed(node: code.Expr, prefix: str) -> code.Expr:
    def rule(part: Any) -> code.Expr | None:
        if not isinstance(part, code.Name):
            return None
        return code.dotted(prefix + attribute_name(part.id)) if prefix else code.Name(python_name(part.id))

    result: code.Expr = transformed(node, rule)
    return result
