"""What can be wrong with a tensor expression, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import Node
from nndsl.layers import catalogue, foreign
from nndsl.layers.aligning import show
from nndsl.layers.function import Function, written
from nndsl.layers.shapes import ShapeError
from nndsl.passes.evaluate import Failed
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.passes.stop import Stop
from nndsl.records import fresh, mutable
from nndsl.source import Span
from nndsl.syntax import ast

_ELSEWHERE = {
    "cat": "concat", "permute": "transpose", "view": "reshape", "unsqueeze": "expand_dims", "clamp": "clip",
    "reduce_sum": "sum", "reduce_mean": "mean", "reduce_max": "max", "reduce_min": "min", "amax": "max",
    "amin": "min", "randn_like": "random_normal", "rand_like": "random_uniform", "randn": "random_normal",
    "normal": "random_normal", "uniform": "random_uniform", "bmm": "matmul", "mm": "matmul", "dot": "matmul",
    "astype": "cast", "to": "cast", "float": "cast", "range": "arange", "reverse": "flip", "l2_norm": "norm",
}  # fmt: skip
_SIGNS = {
    "sub": "-", "mul": "*", "divide": "/", "div": "/", "power": "**",
    "pow": "**", "mod": "%", "floor_divide": "//", "greater": ">", "less": "<", "equal": "==", "not_equal": "!=",
    "greater_equal": ">=", "less_equal": "<=",
}  # fmt: skip


def is_reported(error: Exception) -> bool:
    return isinstance(error, Stop | Failed)


def is_slip(expr: ast.Binary) -> bool:
    """`x > Dense(4)`, `x - Dense(4)`: an arrow, mistaken for an operator."""
    right = expr.right.items[0] if isinstance(expr.right, ast.Flow) else expr.right
    layer = isinstance(right, ast.CallExpr) and catalogue.find("layer", right.func.text) is not None
    return layer and expr.op in ("-", ">")


def is_function(name: str) -> bool:
    """Whether `NAME(…)` calls a function, or is meant to."""
    if catalogue.find("function", name) is not None or name in _ELSEWHERE:
        return True
    if name in _SIGNS or not name[:1].islower() or catalogue.find("layer", name) is not None:
        return name in _SIGNS and catalogue.find("layer", name.capitalize()) is None
    return foreign.equivalent("layer", name) is None and bool(suggest(name, catalogue.names("function")))


def unknown_function(call: ast.CallExpr, problems: Problems) -> None:
    name, span = call.func.text, call.func.span
    if name in _SIGNS:
        sign = _SIGNS[name]
        parts = [arg.value.span.text for arg in call.args if arg.name is None]
        text = f"{parts[0]} {sign} {parts[1]}" if len(parts) == 2 else f"a {sign} b"
        fixes = (Fix(f"change to `{text}`", (Edit(call.span, text),)),) if len(parts) == 2 else ()
        problems.error("NN0202", f"there is no function `{name}`: `{sign}` is written between values", span,
                       help=f"write `{text}`", fixes=fixes)  # fmt: skip
        return
    names = catalogue.names("function")
    same = _ELSEWHERE.get(name)
    close = [same] if same else suggest(name, names)
    problems.error(
        "NN0202", f"there is no function called `{name}`", span, "not a function",
        help=(f"here it is `{same}`" if same else did_you_mean(name, names))
        or "`nndsl layers --category function` lists the functions",
        fixes=did_you_mean_fix(span, close),
    )  # fmt: skip


def as_stage(call: ast.CallExpr, problems: Problems) -> None:
    """A function behind `->`."""
    name = call.func.text
    arguments = ", ".join(arg.span.text for arg in call.args)
    text = f"{name}(x{', ' if arguments else ''}{arguments})"
    activation = catalogue.find("activation", name) is not None
    problems.error(
        "NN0211", f"`{name}` is a function, and a layer stands behind `->`", call.func.span, "a function",
        help=f"write `{text[:60]}`" + (f", or `-> Activation({name})`" if activation else "")
        + ", where x is what would flow in",
    )  # fmt: skip


def no_tensor(expr: ast.Expr, number: float, problems: Problems) -> None:
    problems.error(
        "NN0211", f"`{expr.span.text[:40]}` is the number {number}, and a value that flows is meant", expr.span,
        help="a number that is used by its name stands above the model: `param alpha = 0.5`",
    )  # fmt: skip


def several_values(expr: ast.Expr, count: int, problems: Problems) -> None:
    problems.error(
        "NN0213", f"an operand is one value, and this gives {count}", expr.span, f"{count} values",
        help="take one of them by a name of its own, `(a, _) = …`, or join them: `concat([a, b])`",
    )  # fmt: skip


def list_operand(expr: ast.ListExpr, problems: Problems) -> None:
    problems.error(
        "NN0211", f"`{expr.span.text[:40]}` is a list, and one tensor is meant", expr.span, "a list",
        help="`stack([a, b], axis=1)` and `concat([a, b])` make one tensor of several",
    )  # fmt: skip


def logic(expr: ast.Binary | ast.Unary, problems: Problems) -> None:
    place = expr.op_span if isinstance(expr, ast.Binary) else Span(expr.span.file, expr.span.start, expr.span.start + 3)
    sides = (expr.left, expr.right) if isinstance(expr, ast.Binary) else (expr.operand,)
    text = f"logical_{expr.op}({', '.join(side.span.text for side in sides)})"
    problems.error(
        "NN0211", f"`{expr.op}` combines what is known at compile time, not tensors", place,
        help=f"of tensors of bools it is `{text[:70]}`",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------- arguments


@mutable
class Arranged:
    """A call whose positional arguments have got their names: `call` holds those that are no tensors."""

    call: ast.CallExpr
    operands: dict[str, Sequence[ast.Expr]] = fresh(default_factory=dict)


def arranged(cls: type[Function], call: ast.CallExpr, problems: Problems) -> Arranged | None:
    """The arguments of a function's call, told apart; None where that fails (reported)."""
    result = Arranged(call)
    others: list[ast.Arg] = []
    spread: list[ast.Expr] = []
    seen: dict[str, Span] = {}
    named: ast.Arg | None = None
    fine = True
    title = cls.title()
    for position, arg in enumerate(call.args):
        if arg.name is not None:
            name, named = arg.name.text, arg
        elif named is not None:
            problems.error(
                "NN0207", f"an argument of `{title}` without a name cannot stand behind one with a name", arg.span,
                "which argument is this?", related=(Label(named.span, "has a name"),),
                help=f"`{title}` is `{written(cls)}`",
            )  # fmt: skip
            fine = False
            continue
        elif cls.spread and cls.several in cls.signature[: position + 1]:
            name = cls.several
        elif position < len(cls.signature):
            name = cls.signature[position]
        else:
            problems.error(
                "NN0207", f"`{title}` takes {len(cls.signature)} argument{'s' * (len(cls.signature) > 1)}, and this "
                "is one too many", arg.span, "too many", help=_too_many(cls, call),
            )  # fmt: skip
            fine = False
            break
        if name in seen and not (cls.spread and name == cls.several and arg.name is None):
            problems.error("NN0207", f"`{name}` of `{title}` is given twice", arg.span, "again here",
                           related=(Label(seen[name], "first here"),), help="leave one of them out")  # fmt: skip
            fine = False
            continue
        seen[name] = arg.span
        if name == cls.several and cls.spread and arg.name is None:
            spread += _tensors(arg.value)
        elif name in cls.operands:
            result.operands[name] = _tensors(arg.value) if name == cls.several else (arg.value,)
        else:
            ident = arg.name or ast.Ident(name, arg.span)
            others.append(ast.Arg(arg.span, ident, arg.value))
    if spread:
        result.operands[cls.several] = spread
    known = all(arg.name is None or arg.name.text in cls.signature for arg in call.args)
    missing = [name for name in cls.operands if not result.operands.get(name)]
    missing += [a.name for a in cls.arguments.values() if a.required and a.name not in seen and known]
    if missing and fine:
        listed = " and ".join(f"`{name}`" for name in missing)
        problems.error("NN0204", f"`{title}` needs {listed}", call.func.span, help=f"it is `{written(cls)}`")
        fine = False
    result.call = ast.CallExpr(call.span, call.func, tuple(others))
    return result if fine else None


def _tensors(expr: ast.Expr) -> Sequence[ast.Expr]:
    """The items of a list or tuple of tensors; a tensor alone is a list of one."""
    return expr.items if isinstance(expr, ast.ListExpr | ast.TupleExpr) else (expr,)


def _too_many(cls: type[Function], call: ast.CallExpr) -> str:
    first = [arg.value.span.text for arg in call.args if arg.name is None]
    if cls.several and not cls.spread:
        return f"several tensors go in as a list: `{cls.title()}([{', '.join(first)}])`"
    return f"`{cls.title()}` is `{written(cls)}`"


# ---------------------------------------------------------------------------------------------- shapes


def report(node: Node, error: ShapeError, reasons: Sequence[Span], problems: Problems) -> None:
    """A function that cannot take its operands: the operand that is wrong is underlined, with the types of all."""
    use = node.layer
    places = [use.arguments.get(name) for name in _names(node)]
    span = use.arguments.get(error.argument or "") or use.name_span
    texts = [" ".join(place.text.split())[:40] if place is not None else "x" for place in places]

    def filled(text: str | None) -> str | None:
        for position, operand in enumerate(texts):
            if text is not None:
                for end in ",)":  # as an argument it needs no brackets
                    text = text.replace(f"({{{position}}}{end}", f"({operand}{end}")
                text = text.replace(f"{{{position}}}", _bracketed(operand))
        return text

    label = ""
    related: list[Label] = []
    for position in error.inputs:
        if position >= len(node.inputs):
            continue
        place, type_ = places[position], node.inputs[position].type
        if place == span:
            label = f"this is {show(type_)}"
        elif place is not None:
            related.append(Label(place, f"this is {show(type_)}"))
    related += [Label(reason, "asked for here") for reason in reasons if reason != span]
    from nndsl.passes.infer import chain

    problems.error(
        error.code, filled(error.message) or "", span, label, related=tuple(related),
        notes=chain(tuple(node.inputs[p] for p in error.inputs if p < len(node.inputs))), help=filled(error.help),
    )  # fmt: skip


def _names(node: Node) -> list[str]:
    """The operands of a node as the places of its arguments call them."""
    cls: type[Function] = type(node.layer.config)
    names = [name for name in cls.operands if name != cls.several]
    if cls.several:
        names += [f"{cls.several}.{i}" for i in range(len(node.inputs) - len(names))]
    return names


def _bracketed(text: str) -> str:
    return text if re.fullmatch(r"[\w.]+", text) or text.endswith((")", "]")) else f"({text})"
