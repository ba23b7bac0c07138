"""What cannot stand at the start of a flow, and what to write in its place."""

from __future__ import annotations

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.layers import catalogue
from nndsl.passes.resolve import Scope, did_you_mean_fix, references
from nndsl.passes.unknown import unknown_layer
from nndsl.source import Span
from nndsl.syntax import ast

_FUNCTIONS = frozenset(
    "exp log sqrt abs tanh sigmoid relu softmax sum mean max min argmax reshape transpose concat stack where clip cast "
    "matmul einsum cumsum norm sin cos arange minimum maximum zeros_like ones_like random_normal random_uniform".split()
)
_NO_FIX: tuple[Fix, ...] = ()
_MERGES = {"+": "Add()", "-": "Subtract()", "*": "Multiply()"}


def no_value(ref: ast.NameRef, scope: Scope, statement: ast.Stmt | None, problems: Problems) -> None:
    """Reports a name that stands for no value, read in `statement`."""
    name = ref.name
    if name in scope.shared():
        problems.error(
            "NN0211",
            f"`{name}` is a shared layer, and a value is meant here",
            ref.span,
            "a layer",
            help=f"let something flow into it: `x -> {name}`",
        )
        return
    if name in scope.unknown:
        return  # one name that is missing is one mistake
    scope.unknown.add(name)
    own = {n.text for d in scope.definitions.values() if d.statement is statement for n in d.names}
    known = [n for n in scope.values() if n not in own]
    help = did_you_mean(name, known)
    if catalogue.find("layer", name):
        help = f"`{name}` is a layer: it stands behind `->`, with parentheses: `x -> {name}(…)`"
    elif help is None and known:
        shown = ", ".join(f"`{n}`" for n in known[:6]) + (", …" if len(known) > 6 else "")
        help = f"the model has {shown}"
    elif help is None:
        help = f"declare it: `input {name}: float[…]`"
    others = [
        span
        for definition in scope.order
        for other, span in references(definition)
        if other == name and span != ref.span
    ]
    fixes = tuple(
        Fix(fix.title, (*fix.edits, *(Edit(span, fix.edits[0].text) for span in others)))
        for fix in did_you_mean_fix(ref.span, suggest(name, known))
    )
    problems.error(
        "NN0201",
        f"there is no value called `{name}`",
        ref.span,
        "not defined",
        related=tuple(Label(span, "used here too") for span in others[:3]),
        help=help,
        fixes=fixes,
    )


def no_source(expr: ast.Expr, scope: Scope, absent: set[str], problems: Problems) -> None:
    """Reports an expression that is no value and no flow. `absent` are names that are reported already."""
    match expr:
        case ast.CallExpr() if catalogue.find("layer", expr.func.text):
            _layer(expr, scope, problems)
        case ast.CallExpr():
            _call(expr, scope, absent, problems)
        case ast.Branch() | ast.Repeat():
            word = "branch" if isinstance(expr, ast.Branch) else "repeat"
            place = Span(expr.span.file, expr.span.start, expr.span.start + len(word))
            some = _some_value(scope)
            problems.error(
                "NN0211", f"nothing flows into this `{word}`", place, help=f"write `{some} -> {word} {{ … }}`"
            )
        case ast.ListExpr():
            text = f"({expr.span.text[1:-1]})"
            problems.error(
                "NN0211",
                f"several values flow together as a tuple, and `{expr.span.text[:40]}` is a list",
                expr.span,
                "a list",
                help=f"write `{text[:60]}`",
                fixes=(Fix("change the brackets to parentheses", (Edit(expr.span, text),)),),
            )
        case ast.Literal() | ast.RangeExpr():
            problems.error(
                "NN0211",
                f"`{expr.span.text[:40]}` is not a value that can flow",
                expr.span,
                help="a flow starts from an input or another named value",
            )
        case _:
            _arithmetic(expr, problems)


def _some_value(scope: Scope) -> str:
    """A value to show in an example: the model's first input."""
    return next((n for n in scope.values() if isinstance(scope.definitions[n].statement, ast.InputStmt)), "x")


def _layer(call: ast.CallExpr, scope: Scope, problems: Problems) -> None:
    """`Dense(4)` or `Add(a, b)` with nothing in front."""
    name, values = call.func.text, scope.values()
    names = [arg.value.name for arg in call.args if arg.name is None and isinstance(arg.value, ast.NameRef)]
    help, fixes = f"write what flows in before it: `{_some_value(scope)} -> {name}(…)`", _NO_FIX
    if names and len(names) == len(call.args) and all(n in values for n in names):
        text = f"({', '.join(names)}) -> {name}()" if len(names) > 1 else f"{names[0]} -> {name}()"
        help = f"write `{text}`"
        fixes = (Fix(f"change to `{text}`", (Edit(call.span, text),)),)
    problems.error(
        "NN0211",
        f"nothing flows into `{name}`",
        call.func.span,
        "a layer stands behind `->`",
        help=help,
        fixes=fixes,
    )


def _call(call: ast.CallExpr, scope: Scope, absent: set[str], problems: Problems) -> None:
    """A call of what is no layer."""
    name = call.func.text
    if name in scope.broken or name in absent:
        return
    if name in scope.definitions:
        inside = next((arg.value.span.text for arg in call.args if arg.name is None), _some_value(scope))
        problems.error(
            "NN0211",
            f"nothing flows into `{name}`",
            call.span,
            "called like a function",
            help=f"write `{inside[:40]} -> {name}`",
        )
    elif name in _FUNCTIONS:
        _arithmetic(call, problems)
    else:
        unknown_layer(call, scope.shared(), problems)


def _arithmetic(expr: ast.Expr, problems: Problems) -> None:
    """Arithmetic on values: not there yet; where a merging layer does the same, it is named."""
    if isinstance(expr, ast.Binary) and _slip(expr, problems):
        return
    message, fixes = "arithmetic on values is not in this version of nndsl", _NO_FIX
    help = "`Add()`, `Subtract()`, `Multiply()` and `Average()` do some of it, on values: `(a, b) -> Add()`"
    if isinstance(expr, ast.Binary) and expr.op in _MERGES:
        merge = _MERGES[expr.op]
        help = f"`{merge}` does it, on values: `(a, b) -> {merge}`"
        if isinstance(expr.left, ast.NameRef) and isinstance(expr.right, ast.NameRef):
            text = f"({expr.left.name}, {expr.right.name}) -> {merge}"
            help = f"write `{text}`"
            fixes = (Fix(f"change to `{text}`", (Edit(expr.span, text),)),)
    problems.error("NN0218", message, expr.span, help=help, fixes=fixes)


_SLIPS = {
    "-": ("NN0112", "`-` stands where a value flows on", "`->` is meant: `{left} -> {right}`", "->"),
    ">": ("NN0112", "`>` stands where a value flows on", "`->` is meant: `{left} -> {right}`", "->"),
    "//": ("NN0116", "a comment begins with `#`", "write `#` in place of `//`", "#"),
}


def _slip(expr: ast.Binary, problems: Problems) -> bool:
    """`x > Dense(4)`, `x - Dense(4)`, `x -> Dense(4) // wide`: an arrow or a comment, mistaken for an operator."""
    right = expr.right.items[0] if isinstance(expr.right, ast.Flow) else expr.right
    layer = isinstance(right, ast.CallExpr) and catalogue.find("layer", right.func.text) is not None
    if expr.op not in _SLIPS or (expr.op != "//" and not layer):
        return False
    code, message, help, text = _SLIPS[expr.op]
    place = expr.op_span
    help = help.format(left=expr.left.span.text[:30], right=right.span.text[:30])
    problems.error(code, message, place, help=help, fixes=(Fix(f"change to `{text}`", (Edit(place, text),)),))
    return True
