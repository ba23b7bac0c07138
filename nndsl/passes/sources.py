"""What cannot stand at the start of a flow, and what to write in its place."""

from __future__ import annotations

from collections.abc import Collection

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.layers import catalogue, foreign
from nndsl.passes.expression_errors import is_slip
from nndsl.passes.resolve import Scope, did_you_mean_fix
from nndsl.passes.unknown import unknown_layer
from nndsl.source import Span
from nndsl.syntax import ast

_MANY = 1_000
_NO_FIX: tuple[Fix, ...] = ()


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
    elif help is None and catalogue.find("function", name):
        help = f"`{name}` is a function, and is called with its tensors: `{name}(x)`"
    elif help is None and known:
        shown = ", ".join(f"`{n}`" for n in known[:6]) + (", …" if len(known) > 6 else "")
        help = f"the model has {shown}"
    elif help is None:
        help = f"declare it: `input {name}: float[…]`"
    others = [span for span in scope.uses.get(name, ()) if span != ref.span]
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


def no_source(expr: ast.Expr, scope: Scope, absent: set[str], problems: Problems, blocks: Collection[str] = ()) -> None:
    """Reports an expression that is no value and no flow. `absent` are names that are reported already, `blocks` those
    of the blocks that the file knows."""
    match expr:
        case ast.CallExpr() if catalogue.find("layer", expr.func.text) or expr.func.text in blocks:
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
            name = expr.value if isinstance(expr, ast.Literal) else None
            named = isinstance(name, str) and name.isidentifier()
            problems.error(
                "NN0211",
                f"`{expr.span.text[:40]}` is not a value that can flow",
                expr.span,
                help=f"a name stands without quotes: `{name}`"
                if named
                else "a flow starts from an input or another named value",
                fixes=(Fix(f"change to `{name}`", (Edit(expr.span, str(name)),)),) if named else (),
            )
        case _:
            _no_value(expr, problems)


def _some_value(scope: Scope) -> str:
    """A value to show in an example: the model's first input."""
    return next((n for n in scope.values() if isinstance(scope.definitions[n].statement, ast.InputStmt)), "x")


def _layer(call: ast.CallExpr, scope: Scope, problems: Problems) -> None:
    """`Dense(4)` or `Add(a, b)` with nothing in front."""
    name, values = call.func.text, scope.values()
    flow = _as_flow(call, name, values)
    help, fixes = f"write what flows in before it: `{_some_value(scope)} -> {name}(…)`", _NO_FIX
    if flow is not None:
        help = f"write `{flow}`"
        fixes = (Fix(f"change to `{flow}`", (Edit(call.span, flow),)),)
    few = scope.definitions.values() if len(scope.definitions) < _MANY else ()  # looked through at every mistake
    own = next((d for d in few if getattr(d.statement, "value", None) is call), None)
    if flow is None and own is not None and isinstance(own.statement, ast.AssignStmt) and len(own.names) == 1:
        help += f"; a layer that is used by its name is `shared {own.names[0].text} = {call.span.text[:40]}`"
    problems.error(
        "NN0211",
        f"nothing flows into `{name}`",
        call.func.span,
        "a layer stands behind `->`",
        help=help,
        fixes=fixes,
    )


def _as_flow(call: ast.CallExpr, layer: str, values: list[str]) -> str | None:
    """`add([x, y])` and `Add(x, y)` as they are written here: `(x, y) -> Add()`."""
    given = [arg for arg in call.args if arg.name is None]
    if len(given) == 1 and isinstance(given[0].value, ast.ListExpr | ast.TupleExpr):
        items = given[0].value.items
    else:
        items = tuple(arg.value for arg in given)
    names = [item.name for item in items if isinstance(item, ast.NameRef) and item.name in values]
    if not names or len(names) != len(items):
        return None
    rest = ", ".join(arg.span.text for arg in call.args if arg.name is not None)
    first = names[0] if len(names) == 1 else f"({', '.join(names)})"
    return f"{first} -> {layer}({rest})"


def _function(name: str) -> str | None:
    """The merging layer that a function of Keras or PyTorch stands for: `add`, `concatenate`, `cat`."""
    layer = foreign.equivalent("layer", name) or name.capitalize()
    cls = catalogue.find("layer", layer)
    return layer if cls is not None and getattr(cls, "arity", (1, 1))[0] > 1 else None


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
    elif (
        (layer := _function(name)) is not None
        and (flow := _as_flow(call, layer, scope.values())) is not None
        and flow.startswith("(")
    ):
        problems.error(
            "NN0202",
            f"there is no function `{name}`: `{layer}` is a layer, and values flow into it",
            call.func.span,
            "not a layer",
            help=f"write `{flow}`",
            fixes=(Fix(f"change to `{flow}`", (Edit(call.span, flow),)),),
        )
    else:
        unknown_layer(call, scope.shared(), problems)


def _no_value(expr: ast.Expr, problems: Problems) -> None:
    """Reports an expression of another kind."""
    if isinstance(expr, ast.Binary) and slip(expr, problems):
        return
    problems.error(
        "NN0211",
        f"`{expr.span.text[:40]}` is not a value that can flow",
        expr.span,
        help="a flow starts from an input, another named value, or an expression of such",
    )


_SLIPS = {
    "-": ("NN0112", "`-` stands where a value flows on", "`->` is meant: `{left} -> {right}`", "->"),
    ">": ("NN0112", "`>` stands where a value flows on", "`->` is meant: `{left} -> {right}`", "->"),
    "//": ("NN0116", "a comment begins with `#`", "write `#` in place of `//`", "#"),
}


def slip(expr: ast.Binary, problems: Problems) -> bool:
    """`x > Dense(4)`, `x - Dense(4)`, `x -> Dense(4) // wide`: an arrow or a comment, mistaken for an operator."""
    right = expr.right.items[0] if isinstance(expr.right, ast.Flow) else expr.right
    if expr.op != "//" and not is_slip(expr):
        return False
    code, message, help, text = _SLIPS[expr.op]
    place = expr.op_span
    help = help.format(left=expr.left.span.text[:30], right=right.span.text[:30])
    problems.error(code, message, place, help=help, fixes=(Fix(f"change to `{text}`", (Edit(place, text),)),))
    return True


def arm_with_value(arm: ast.Expr, first: ast.NameRef, problems: Problems) -> None:
    """`branch { x -> Dense(4) }`: an arm begins with what flows in, and so with a layer."""
    place, text, advice = first.span, "Identity()", "`Identity()` passes it on"
    if isinstance(arm, ast.Flow):
        place, text, advice = Span(place.file, place.start, arm.items[1].span.start), "", "leave it out"
    problems.error(
        "NN0211",
        f"`{first.name}` is a value, and each line of a branch begins with a layer",
        first.span,
        "a value",
        help=f"what flows into the branch flows into each of its lines: {advice}",
        fixes=(Fix(f"change to `{text}`" if text else "leave it out", (Edit(place, text),)),),
    )
