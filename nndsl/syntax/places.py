"""Which statement may stand in which body. The grammar takes any statement anywhere; here it is said in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.syntax import ast
from nndsl.syntax.reports import Reports

MISPLACED = "NN0117"

_DEFINITIONS = (ast.ModelDef, ast.BlockDef, ast.ParamDef, ast.ImportDef)
_FLOWS = (ast.InputStmt, ast.AssignStmt, ast.OutputStmt)
_VALUES = (*_FLOWS, ast.SharedStmt, ast.PenaltyStmt)
_ALLOWED: dict[str, tuple[type[ast.Stmt], ...]] = {
    "file": _DEFINITIONS,
    "model": (*_VALUES, ast.SubmodelStmt, ast.Section),
    "block": _VALUES,
    "layer": (*_FLOWS, ast.WeightStmt, ast.UpdateStmt),
    "train": (ast.AssignStmt,),
    "options": (ast.AssignStmt,),
    "data": (ast.AssignStmt, ast.SourceStmt),
}
_HEADS = ("model ", "block ", "layer ")
_HOME = {
    ast.SubmodelStmt: "in a model",
    ast.Section: "in a model",
    ast.WeightStmt: "in a `layer` of your own",
    ast.UpdateStmt: "in a `layer` of your own",
    ast.SourceStmt: "in the `data` section of a model",
}


def admit(statements: Sequence[ast.Stmt], where: str, reports: Reports) -> tuple[ast.Stmt, ...]:
    """The statements of a body, each that does not belong there reported and replaced by an ErrorStmt.

    `where` is `file`, `model`, `block`, `layer`, `train`, `options` or `data`. A row of statements outside any model,
    which has one cause (a brace too many or too few), is reported once.
    """
    allowed = (*_ALLOWED[where], ast.ErrorStmt)
    kept: list[ast.Stmt] = []
    in_row = False
    for position, statement in enumerate(statements):
        before = statements[position - 1] if position else None
        if where == "file" and isinstance(before, ast.ErrorStmt) and before.span.text.startswith(_HEADS):
            in_row = True  # a definition whose braces are missing: what follows was meant to stand in it
        if isinstance(statement, allowed):
            kept.append(statement)
            in_row = False
            continue
        if not (in_row and where == "file"):
            _report(statement, where, reports)
        in_row = True
        kept.append(ast.ErrorStmt(statement.span, declared(statement)))
    return tuple(kept)


def declared(statement: ast.Stmt) -> tuple[ast.Ident, ...]:
    """The names that a statement declares in the body that holds it."""
    if isinstance(statement, ast.AssignStmt):
        return statement.targets
    if isinstance(statement, ast.ImportDef):
        return statement.names
    if isinstance(statement, ast.ErrorStmt):
        return statement.declares
    if isinstance(statement, ast.Section | ast.UpdateStmt | ast.File):
        return ()
    name = getattr(statement, "name", None)
    return (name,) if isinstance(name, ast.Ident) else ()


def _report(statement: ast.Stmt, where: str, reports: Reports) -> None:
    word = statement.span.text.split(None, 1)[0].split("(")[0].split("{")[0]
    shown, end = f"`{word}`", statement.span.start + len(word)
    if isinstance(statement, ast.AssignStmt):
        shown, end = "a value", statement.targets[-1].span.end
    fits = next((home for kind, home in _HOME.items() if isinstance(statement, kind)), "in a model or a block")
    if where == "file":
        message = f"{shown} stands outside of any model"
        help = f"it belongs {fits}: between the braces of `model NAME {{ … }}`; is there a `}}` too many above?"
    elif isinstance(statement, _DEFINITIONS):
        message = f"{shown} cannot stand inside of {_body(where)}"
        help = f"put it at the top level of the file; is the `}}` of {_body(where, 'the')} missing above?"
    else:
        message = f"{shown} cannot stand in {_body(where)}"
        help = f"it belongs {fits}"
        if where in ("train", "options", "data"):
            help += f"; a `{where}` section holds settings, `NAME = value`"
    reports.error(MISPLACED, message, statement.span.start, end, help=help)


def _body(where: str, article: str = "a") -> str:
    return f"{article} `{where}` section" if where in ("train", "options", "data") else f"{article} {where}"
