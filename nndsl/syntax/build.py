"""Reductions of the grammar to nodes of the AST: one function for each action of the tables, run while parsing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nndsl.source import Span
from nndsl.syntax import ast
from nndsl.syntax.lexer import Token
from nndsl.syntax.literals import read_float, read_integer, read_string
from nndsl.syntax.names import CONSTANTS
from nndsl.syntax.places import admit
from nndsl.syntax.reports import Reports

EMPTY_STAGE = "NN0118"
BAD_TARGET = "NN0122"


def flatten(children: list[Any]) -> list[Any]:
    """The members of a list without what separates them. The tables collect `item (COMMA item)*` as nested lists."""
    found: list[Any] = []
    for child in children:
        if type(child) is list:
            found.extend(c for c in child if type(c) is not Token or c.type == "NAME")
        elif type(child) is not Token or child.type == "NAME":
            found.append(child)
    return found


class Builder:
    """Holds the file for the spans and the reports for what only shows here (a bad escape, an empty branch).

    Each method takes the children of its rule: tokens, nodes and lists.
    """

    def __init__(self, reports: Reports) -> None:
        self.reports = reports
        self.source = reports.file

    def action(self, name: str) -> Callable[[list[Any]], Any]:
        return getattr(self, f"on_{name}")  # type: ignore[no-any-return]

    def span(self, first: Any, last: Any) -> Span:
        start = first.start if type(first) is Token else first.span.start
        end = last.end if type(last) is Token else last.span.end
        return Span(self.source, start, end)

    def ident(self, token: Token) -> ast.Ident:
        return ast.Ident(token.text, Span(self.source, token.start, token.end))

    def idents(self, tokens: list[Token]) -> tuple[ast.Ident, ...]:
        return tuple(self.ident(token) for token in tokens)

    # -------------------------------------------------------------------------------------- definitions

    def on_file(self, c: list[Any]) -> ast.File:
        span = Span(self.source, 0, len(self.source.text))
        return ast.File(span, admit(flatten(c), "file", self.reports))

    def on_body(self, c: list[Any]) -> list[Any]:
        return [flatten(c), c[-1]]

    def on_model(self, c: list[Any]) -> ast.Stmt:
        statements, brace = c[2]
        body = admit(statements, "model", self.reports)
        return ast.ModelDef(self.span(c[0], brace), self.ident(c[1]), body, self.comment_above(c[0]))

    def on_block(self, c: list[Any]) -> ast.Stmt:
        statements, brace = c[-1]
        is_layer = c[0].type == "LAYER"
        body = admit(statements, "layer" if is_layer else "block", self.reports)
        parameters = tuple(flatten(c[3])) if type(c[3]) is list else ()
        comment = self.comment_above(c[0])
        return ast.BlockDef(self.span(c[0], brace), is_layer, self.ident(c[1]), parameters, body, comment)

    def on_parameter(self, c: list[Any]) -> ast.Parameter:
        return ast.Parameter(self.span(c[0], c[-1]), self.ident(c[0]), c[2] if len(c) > 1 else None)

    def on_section(self, c: list[Any]) -> ast.Stmt:
        statements, brace = c[1]
        return ast.Section(self.span(c[0], brace), self.ident(c[0]), admit(statements, c[0].text, self.reports))

    def on_param(self, c: list[Any]) -> ast.Stmt:
        return ast.ParamDef(self._whole(c), self.ident(c[1]), c[3], self._options(c))

    def on_import(self, c: list[Any]) -> ast.Stmt:
        names = flatten(c[3])
        return ast.ImportDef(self.span(c[0], names[-1]), self.on_string(c[1:2]), self.idents(names))

    def comment_above(self, token: Token) -> str:
        """The comment lines directly above a definition, without their `#`."""
        lines: list[str] = []
        number = self.source.line_of(token.start) - 1
        while number > 0:
            line = self.source.line_text(number).lstrip("\ufeff").strip()
            if not line.startswith("#"):
                break
            lines.append(line.lstrip("#").strip())
            number -= 1
        return "\n".join(reversed(lines))

    # --------------------------------------------------------------------------------------- statements

    def on_error_statement(self, c: list[Any]) -> ast.Stmt:
        return c[0].statement  # type: ignore[no-any-return]

    def on_error_arm(self, c: list[Any]) -> ast.Expr:
        return ast.ErrorExpr(c[0].statement.span)

    def on_input(self, c: list[Any]) -> ast.Stmt:
        dtype, dims = None, None
        if len(c) > 3:
            dtype, dims, _ = c[3]
        return ast.InputStmt(self._whole(c), self.ident(c[1]), dtype, dims, self._options(c))

    def _whole(self, c: list[Any]) -> Span:
        last = c[-1]
        while type(last) is list:
            last = last[-1]
        return self.span(c[0], last)

    def _options(self, c: list[Any]) -> tuple[ast.Arg, ...]:
        last = c[-1]
        return tuple(last) if type(last) is list and last and type(last[0]) is ast.Arg else ()

    def on_type(self, c: list[Any]) -> list[Any]:
        return [self.ident(c[0]), tuple(flatten(c[2])) if type(c[2]) is list else (), c[-1]]

    def on_shape(self, c: list[Any]) -> list[Any]:
        return [None, tuple(flatten(c[1])) if type(c[1]) is list else (), c[-1]]

    def on_dimension(self, c: list[Any]) -> ast.DimExpr:
        if type(c[0]) is Token:
            return ast.DimExpr(Span(self.source, c[0].start, c[0].end), None)
        return ast.DimExpr(c[0].span, c[0])

    def on_with(self, c: list[Any]) -> list[Any]:
        return flatten(c)

    def on_keyword(self, c: list[Any]) -> Token:
        return c[0]  # type: ignore[no-any-return]

    def on_option(self, c: list[Any]) -> ast.Arg:
        return ast.Arg(self.span(c[0], c[2]), self.ident(c[0]), c[2])

    def on_assign(self, c: list[Any]) -> ast.Stmt:
        target, _, value = c
        is_tuple = type(target) is ast.TupleExpr
        parts = target.items if type(target) is ast.TupleExpr else (target,)
        names = tuple(ast.Ident(p.name, p.span) for p in parts if type(p) is ast.NameRef)
        span = self.span(target, value)
        if len(names) != len(parts) or not parts:
            wrong = next((p for p in parts if type(p) is not ast.NameRef), target)
            place = wrong.span
            if type(wrong) is not ast.ErrorExpr:
                self.reports.error(
                    BAD_TARGET,
                    f"`{_short(place.text)}` is not a name that a value could be given",
                    place.start,
                    place.end,
                    help="on the left of `=` stands a name, or names in parentheses: `(a, _, c) = …`",
                )
            return ast.ErrorStmt(span, names)
        return ast.AssignStmt(span, names, is_tuple, value)

    def on_output(self, c: list[Any]) -> ast.Stmt:
        value = c[3] if len(c) > 3 else None
        return ast.OutputStmt(self._whole(c), self.ident(c[1]), value, self._options(c))

    def on_shared(self, c: list[Any]) -> ast.Stmt:
        return ast.SharedStmt(self.span(c[0], c[3]), self.ident(c[1]), c[3])

    def on_submodel(self, c: list[Any]) -> ast.Stmt:
        targets = c[6]
        names = self.idents(flatten(targets))
        span = self.span(c[0], targets[-1])
        return ast.SubmodelStmt(span, self.ident(c[1]), self.idents(flatten(c[3])), names)

    def on_targets(self, c: list[Any]) -> list[Any]:
        return [*flatten(c[1]), c[2]] if len(c) > 1 else c

    def on_penalty(self, c: list[Any]) -> ast.Stmt:
        return ast.PenaltyStmt(self._whole(c), self.ident(c[1]), c[3], self._options(c))

    def on_source(self, c: list[Any]) -> ast.Stmt:
        return ast.SourceStmt(self._whole(c), self.ident(c[1]), c[3], self._options(c))

    def on_update(self, c: list[Any]) -> ast.Stmt:
        return ast.UpdateStmt(self._whole(c), self.ident(c[1]), c[3], self._options(c))

    def on_weight(self, c: list[Any]) -> ast.Stmt:
        dtype, dims, _ = c[3]
        initializer = c[5] if len(c) > 5 else None
        is_trainable = c[0].type == "TRAINABLE"
        return ast.WeightStmt(
            self._whole(c), is_trainable, self.ident(c[1]), dtype, dims, initializer, self._options(c)
        )

    # -------------------------------------------------------------------------------------- expressions

    def on_pipeline(self, c: list[Any]) -> ast.Expr:
        items = (c[0], *c[1][1::2])
        return ast.Flow(self.span(items[0], items[-1]), items)

    def on_if_else(self, c: list[Any]) -> ast.Expr:
        return ast.IfElse(self.span(c[0], c[4]), c[0], c[2], c[4])

    def on_arms(self, c: list[Any]) -> list[Any]:
        return [flatten(c), c[-1]]

    def on_branch(self, c: list[Any]) -> ast.Expr:
        arms, brace = c[1]
        span = self.span(c[0], brace)
        if arms:
            return ast.Branch(span, tuple(arms))
        self._stage_error(c[0], "this branch is empty", "write one pipeline on each line; `Identity()` passes on")
        return ast.ErrorExpr(span)

    def on_repeat(self, c: list[Any]) -> ast.Expr:
        arms, brace = c[-1]
        span = self.span(c[0], brace)
        if len(arms) != 1:
            message = "this repeat has no body" if not arms else f"this repeat has {len(arms)} bodies"
            self._stage_error(c[0], message, "between its braces stands one pipeline; `->` joins several layers")
            return ast.ErrorExpr(span)
        names: tuple[ast.Ident, ...] = ()
        if len(c) == 5:
            bound = c[1]
            parts = bound.items if type(bound) is ast.TupleExpr else (bound,)
            names = tuple(ast.Ident(p.name, p.span) for p in parts if type(p) is ast.NameRef)
            if len(names) != len(parts) or not parts:
                help = "before `in` stands a name, or names in parentheses: `repeat (width, depth) in …`"
                where = bound.span
                self.reports.error(BAD_TARGET, "a repeat binds names", where.start, where.end, help=help)
                return ast.ErrorExpr(span)
        return ast.Repeat(span, names, c[-2], arms[0])

    def _stage_error(self, word: Token, message: str, help: str) -> None:
        self.reports.error(EMPTY_STAGE, message, word.start, word.end, help=help)

    def on_binary(self, c: list[Any]) -> ast.Expr:
        left, op, right = c
        span = Span(self.source, left.span.start, right.span.end)
        return ast.Binary(span, op.text, left, right, Span(self.source, op.start, op.end))

    def on_unary(self, c: list[Any]) -> ast.Expr:
        return ast.Unary(self.span(c[0], c[1]), c[0].text, c[1])

    def on_range_of(self, c: list[Any]) -> ast.Expr:
        return ast.RangeExpr(self.span(c[0], c[2]), c[0], c[2])

    def on_attribute(self, c: list[Any]) -> ast.Expr:
        return ast.Attribute(self.span(c[0], c[2]), c[0], self.ident(c[2]))

    def on_subscripted(self, c: list[Any]) -> ast.Expr:
        return ast.Subscript(self.span(c[0], c[3]), c[0], tuple(flatten(c[2])))

    def on_rest(self, c: list[Any]) -> ast.SliceItem:
        return ast.SliceItem(self.span(c[0], c[-1]), True, is_rest=True)

    def on_subscript(self, c: list[Any]) -> ast.SliceItem:
        span = self.span(c[0], c[-1])
        if len(c) == 1 and type(c[0]) is not Token:
            return ast.SliceItem(span, False, c[0])
        parts: list[ast.Expr | None] = [None, None, None]
        place = 0
        for child in c:
            if type(child) is Token:
                place += 1
            else:
                parts[place] = child
        start, stop, step = parts
        return ast.SliceItem(span, True, None, start, stop, step)

    def on_name(self, c: list[Any]) -> ast.Expr:
        token = c[0]
        span = Span(self.source, token.start, token.end)
        if token.text in CONSTANTS:
            return ast.Literal(span, CONSTANTS[token.text])
        return ast.NameRef(span, token.text)

    def on_integer(self, c: list[Any]) -> ast.Expr:
        span = Span(self.source, c[0].start, c[0].end)
        if span.text != c[0].text:  # what the lexer put in the place of a number that cannot be read
            return ast.ErrorExpr(span)
        return ast.Literal(span, read_integer(c[0], self.reports))

    def on_float(self, c: list[Any]) -> ast.Expr:
        return ast.Literal(Span(self.source, c[0].start, c[0].end), read_float(c[0], self.reports))

    def on_string(self, c: list[Any]) -> ast.Literal:
        return ast.Literal(Span(self.source, c[0].start, c[0].end), read_string(c[0], self.reports))

    def on_paren(self, c: list[Any]) -> ast.Expr:
        return ast.Paren(self.span(c[0], c[2]), c[1])

    def on_tuple(self, c: list[Any]) -> ast.Expr:
        return ast.TupleExpr(self.span(c[0], c[-1]), tuple(flatten(c)))

    def on_list_of(self, c: list[Any]) -> ast.Expr:
        return ast.ListExpr(self.span(c[0], c[-1]), tuple(flatten(c[1])) if type(c[1]) is list else ())

    def on_call(self, c: list[Any]) -> ast.Expr:
        args = tuple(c[2]) if type(c[2]) is list else ()
        return ast.CallExpr(Span(self.source, c[0].start, c[-1].end), self.ident(c[0]), args)

    def on_argument(self, c: list[Any]) -> ast.Arg:
        if len(c) == 1:
            return ast.Arg(c[0].span, None, c[0])
        return ast.Arg(self.span(c[0], c[2]), self.ident(c[0]), c[2])


def _short(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) <= 40 else f"{first[:37]}…"
