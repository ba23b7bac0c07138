"""Code as data printed as text, broken at 88 columns in the way ruff and black break it, so that the emitted
files need no formatter (a test runs `ruff format --check` over every golden file).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from nndsl import code

WIDTH = 88
INDENT = "    "

_PRECEDENCE = {
    "or": 1, "and": 2, "not": 3,
    "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4, "is": 4, "is not": 4,
    "|": 5, "&": 7, "+": 9, "-": 9, "*": 10, "/": 10, "//": 10, "%": 10, "@": 10, "~": 11, "**": 12,
}  # fmt: skip
_ATOM = 20
_SHORT = 40


def literal(value: None | bool | int | float | str) -> str:
    """A literal as ruff writes it: double quotes where that needs no more escapes, `1e-05` as Python prints it."""
    if isinstance(value, str):
        text = repr(value)
        if text[0] == "'" and '"' not in value:
            body = text[1:-1].replace("\\'", "'")
            return f'"{body}"'
        return text
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return f'float("{value}")'
        return repr(value)
    return repr(value)


def flat(node: code.Expr | code.Slice, parent: int = 0) -> str:
    """An expression on one line, with the parentheses that its place asks for."""
    text, precedence = _flat(node)
    return f"({text})" if precedence < parent else text


def _flat(node: code.Expr | code.Slice) -> tuple[str, int]:
    match node:
        case code.Literal(value):
            text = literal(value)
            return text, 11 if text.startswith("-") else _ATOM
        case code.Name(id):
            return id, _ATOM
        case code.Attr(value, name):
            return f"{_target(value)}.{name}", _ATOM
        case code.Call(func, _, _):
            return f"{_target(func)}({', '.join(_arguments(node))})", _ATOM
        case code.Tuple(items):
            if not items:
                return "()", _ATOM
            inner = ", ".join(flat(item) for item in items)
            return (f"({inner},)" if len(items) == 1 else f"({inner})"), _ATOM
        case code.List(items):
            return f"[{', '.join(flat(item) for item in items)}]", _ATOM
        case code.Dict(items):
            return f"{{{', '.join(f'{flat(k)}: {flat(v)}' for k, v in items)}}}", _ATOM
        case code.Index(value, items):
            return f"{_target(value)}[{', '.join(flat(item) for item in items)}]", _ATOM
        case code.Slice():
            return _slice(node), _ATOM
        case code.Ellipsis_():
            return "...", _ATOM
        case code.Lambda(parameter, body):
            return f"lambda {parameter}: {flat(body)}", 0
        case code.Unary(op, operand):
            precedence = _PRECEDENCE["not"] if op == "not" else _PRECEDENCE["~"]
            return f"{op}{' ' if op == 'not' else ''}{flat(operand, precedence)}", precedence
        case code.Binary(op, left, right):
            precedence = _PRECEDENCE[op]
            if op == "**":  # binds to the right, and ruff writes simple powers without blanks
                base, exponent = flat(left, precedence + 1), flat(right, precedence - 1)
                simple = all(isinstance(side, code.Name | code.Literal | code.Attr) for side in (left, right))
                return (f"{base}**{exponent}" if simple else f"{base} ** {exponent}"), precedence
            return f"{flat(left, precedence)} {op} {flat(right, precedence + 1)}", precedence
        case code.IfElse(then, condition, otherwise):
            return f"{flat(then, 1)} if {flat(condition, 1)} else {flat(otherwise)}", 0
        case code.Comprehension(item, target, iterable):
            return f"[{flat(item)} for {flat(target)} in {flat(iterable)}]", _ATOM
        case code.Generator(item, target, iterable):
            return f"{flat(item)} for {flat(target)} in {flat(iterable)}", 0
        case code.Star(value):
            inner = flat(value)
            return (f"*({inner})" if isinstance(value, code.Generator) else f"*{inner}"), 0
        case code.Format(parts):
            return _format(parts), _ATOM
    raise TypeError(f"cannot print {type(node).__name__}")


def _format(parts: tuple[str | code.Expr, ...]) -> str:
    """An f-string. Its texts are layers' paths, which hold nothing that would need an escape."""
    pieces = []
    for part in parts:
        if isinstance(part, str):
            if not re.fullmatch(r"[\w.]*", part):
                raise ValueError(f"{part!r} is no part of a path")
            pieces.append(part)
        else:
            pieces.append(f"{{{flat(part)}}}")
    return f'f"{"".join(pieces)}"'


def _target(node: code.Expr) -> str:
    text = flat(node, _ATOM)
    return f"({text})" if isinstance(node, code.Literal) and isinstance(node.value, int | float) else text


def _slice(node: code.Slice) -> str:
    simple = all(
        part is None or isinstance(part, code.Literal | code.Name)
        or (isinstance(part, code.Unary) and isinstance(part.operand, code.Literal | code.Name))
        for part in (node.start, node.stop, node.step)
    )  # fmt: skip
    colon = ":" if simple else " : "
    start = flat(node.start) if node.start is not None else ""
    stop = flat(node.stop) if node.stop is not None else ""
    text = f"{start}{colon}{stop}"
    if node.step is not None:
        text += f"{colon}{flat(node.step)}"
    return text.strip()


def _arguments(node: code.Call) -> list[str]:
    return [flat(arg) for arg in node.args] + [f"{name}={flat(value)}" for name, value in node.kwargs]


def broken(node: code.Expr, prefix: str, suffix: str, indent: int) -> list[str]:
    """`prefix node suffix` as lines, the first starting at `indent` levels, split at the last bracket if too long."""
    pad = INDENT * indent
    text = flat(node)
    line = f"{pad}{prefix}{text}{suffix}"
    if len(line) <= WIDTH:
        return [line]
    deeper = indent + 1
    match node:
        case code.Call(func, args, kwargs) if args or kwargs:
            inner = ", ".join(_arguments(node))
            fits = len(f"{pad}{prefix}{_target(func)}(") <= WIDTH
            if isinstance(func, code.Call) and (len(inner) < _SHORT or not fits):
                return _broken_layer(func, prefix, f"({inner}){suffix}", indent)
            head = f"{prefix}{_target(func)}("
            if len(pad + head) > WIDTH and isinstance(func, code.Attr) and not isinstance(func.value, code.Name):
                return _broken_behind(func.value, prefix, f".{func.name}({inner}){suffix}", indent)
            if len(INDENT * deeper + inner) <= WIDTH:
                return [f"{pad}{head}", f"{INDENT * deeper}{inner}", f"{pad}){suffix}"]
            lines = [f"{pad}{head}"]
            for arg in args:
                lines += _bare(arg, "", ",", deeper)
            for name, value in kwargs:
                lines += _bare(value, f"{name}=", ",", deeper)
            return [*lines, f"{pad}){suffix}"]
        case code.Tuple(items) | code.List(items) if items:
            opening, closing = "()" if isinstance(node, code.Tuple) else "[]"
            lines = [f"{pad}{prefix}{opening}"]
            for item in items:
                lines += _bare(item, "", ",", deeper)
            return [*lines, f"{pad}{closing}{suffix}"]
        case code.Comprehension(item, target, iterable):
            inner = f"{flat(item)} for {flat(target)} in {flat(iterable)}"
            lines = [f"{INDENT * deeper}{inner}"]
            if len(lines[0]) > WIDTH:
                lines = [*_bare(item, "", "", deeper), *_bare(iterable, f"for {flat(target)} in ", "", deeper)]
            return [f"{pad}{prefix}[", *lines, f"{pad}]{suffix}"]
        case code.Star(code.Generator() as value):
            return [f"{pad}{prefix}*(", *broken(value, "", "", deeper), f"{pad}){suffix}"]
        case code.Generator(item, target, iterable):
            return [*_bare(item, prefix, "", indent), *_bare(iterable, f"for {flat(target)} in ", suffix, indent)]
        case code.Dict(items) if items:
            lines = [f"{pad}{prefix}{{"]
            for key, value in items:
                lines += _bare(value, f"{flat(key)}: ", ",", deeper)
            return [*lines, f"{pad}}}{suffix}"]
        case code.Binary():
            parts = _operands(node)
            last = parts[-1][1]
            opening = ""
            if isinstance(last, code.Call) and (last.args or last.kwargs):
                opening = f"{_target(last.func)}("
            elif isinstance(last, code.Dict) and last.items:
                opening = "{"
            first = parts[0][1]
            if isinstance(first, code.Binary) and _flat(first)[1] < _PRECEDENCE[node.op]:
                rest = flat(node)[len(f"({flat(first)})") :]
                tail = f"{pad}){rest}{suffix}"
                if len(tail) <= WIDTH:  # parentheses that stand there anyway are where ruff breaks first
                    return [f"{pad}{prefix}(", *_bare(first, "", "", deeper), tail]
            if len(parts) == 2 and opening:
                head = f"{prefix}{flat(node)}"[: -len(flat(last))]
                if len(f"{pad}{head}{opening}") <= WIDTH:
                    return broken(last, head, suffix, indent)
            return [f"{pad}{prefix}(", *_bare(node, "", "", deeper), f"{pad}){suffix}"]
    return [line]


def _bare(node: code.Expr, prefix: str, suffix: str, indent: int) -> list[str]:
    """An expression that stands between brackets already: operators break without parentheses of their own."""
    line = f"{INDENT * indent}{prefix}{flat(node)}{suffix}"
    if not isinstance(node, code.Binary) or len(line) <= WIDTH:
        return broken(node, prefix, suffix, indent)
    lines: list[str] = []
    parts = _operands(node)
    for position, (op, operand) in enumerate(parts):
        lead = f"{op} " if position else prefix
        tail = suffix if position == len(parts) - 1 else ""
        level = _PRECEDENCE[node.op] + (1 if position else 0)
        if _flat(operand)[1] >= level:
            lines += broken(operand, lead, tail, indent)
        elif len(f"{INDENT * indent}{lead}({flat(operand)}){tail}") <= WIDTH:
            lines.append(f"{INDENT * indent}{lead}({flat(operand)}){tail}")
        else:
            inner = _bare(operand, "", "", indent + 1)
            lines += [f"{INDENT * indent}{lead}(", *inner, f"{INDENT * indent}){tail}"]
    return lines


def _broken_layer(node: code.Call, prefix: str, suffix: str, indent: int) -> list[str]:
    """`layers.Conv2D(…)(x)`, split inside the layer's own arguments as Keras's sources are. Where ruff would rather
    split the short call behind it, a trailing comma keeps the layer's arguments apart."""
    pad, deeper = INDENT * indent, indent + 1
    head, tail = f"{pad}{prefix}{_target(node.func)}(", f"{pad}){suffix}"
    inner = ", ".join(_arguments(node))
    if len(f"{head}{inner})(") > WIDTH and len(INDENT * deeper + inner) <= WIDTH:
        return [head, f"{INDENT * deeper}{inner}", tail]
    lines = [head]
    for arg in node.args:
        lines += _bare(arg, "", ",", deeper)
    for name, value in node.kwargs:
        lines += _bare(value, f"{name}=", ",", deeper)
    return [*lines, tail]


def _broken_behind(node: code.Expr, prefix: str, suffix: str, indent: int) -> list[str]:
    """`(a * b).sum(1)`: split inside what the method is called on."""
    if isinstance(node, code.Call):
        return broken(node, prefix, suffix, indent)
    pad = INDENT * indent
    return [f"{pad}{prefix}(", *_bare(node, "", "", indent + 1), f"{pad}){suffix}"]


def signature(name: str, parameters: list[str], returns: str, indent: int) -> str:
    """`def name(parameters) -> returns:`, broken as ruff breaks it."""
    pad, deeper = INDENT * indent, INDENT * (indent + 1)
    inner = ", ".join(parameters)
    line = f"{pad}def {name}({inner}) -> {returns}:"
    if len(line) <= WIDTH:
        return line
    head, tail = f"{pad}def {name}(", f"{pad}) -> {returns}:"
    if len(deeper + inner) <= WIDTH:
        return f"{head}\n{deeper}{inner}\n{tail}"
    return "\n".join([head, *(f"{deeper}{parameter}," for parameter in parameters), tail])


def _operands(node: code.Binary) -> list[tuple[str, code.Expr]]:
    """`a + b - c` as [("", a), ("+", b), ("-", c)]: ruff breaks operators of one precedence together."""
    level = _PRECEDENCE[node.op]
    parts: list[tuple[str, code.Expr]] = []
    current: code.Expr = node
    while isinstance(current, code.Binary) and _PRECEDENCE[current.op] == level:
        parts.append((current.op, current.right))
        current = current.left
    parts.append(("", current))
    parts.reverse()
    return parts


def statement(node: code.Stmt, indent: int) -> list[str]:
    """One statement as lines, indented by `indent` levels."""
    pad = INDENT * indent
    match node:
        case code.Assign(targets, value, comment, annotation):
            names = ", ".join(flat(target) for target in targets) + (f": {annotation}" if annotation else "")
            lines = broken(value, f"{names} = ", "", indent)
            if len(targets) > 1 and isinstance(value, code.Tuple) and len(lines) == 1:
                lines = [f"{pad}{names} = {flat(value)[1:-1]}"]  # no parentheses where it fits on one line
            return _commented(lines, comment, pad)
        case code.Do(value, comment):
            return _commented(broken(value, "", "", indent), comment, pad)
        case code.Return(value):
            return broken(value, "return ", "", indent)
        case code.Raise(value):
            return broken(value, "raise ", "", indent)
        case code.If(condition, body, orelse):
            lines = [*broken(condition, "if ", ":", indent), *statements(body, indent + 1)]
            if orelse:
                lines += [f"{pad}else:", *statements(orelse, indent + 1)]
            return lines
        case code.For(target, iterable, body):
            names = flat(target).strip("()") if isinstance(target, code.Tuple) else flat(target)
            return [*broken(iterable, f"for {names} in ", ":", indent), *statements(body, indent + 1)]
        case code.With(context, body):
            return [*broken(context, "with ", ":", indent), *statements(body, indent + 1)]
        case code.Comment(text):
            return [f"{pad}# {text}"]
    raise TypeError(f"cannot print {type(node).__name__}")


def _commented(lines: list[str], comment: str, pad: str) -> list[str]:
    if not comment:
        return lines
    if len(lines) == 1 and len(lines[0]) + len(comment) + 4 <= WIDTH:
        return [f"{lines[0]}  # {comment}"]
    return [f"{pad}# {comment}", *lines]


def statements(body: Iterable[code.Stmt], indent: int) -> list[str]:
    return [line for item in body for line in statement(item, indent)]


def block(body: Iterable[code.Stmt], indent: int = 0) -> str:
    """Statements as text without a final newline."""
    return "\n".join(statements(body, indent))
