"""Parsing: Lark's tables, run over the laid-out tokens by a loop of our own, with recovery at every statement.

The loop notes how high the stack stood where a statement (or an arm of a branch) began. When a token does not fit, the
error is reported once, the stack is cut back to there, an ERROR takes the statement's place, and parsing goes on after
its END: each broken statement costs its own length, whatever the file's size. A definition whose head is broken keeps
its body: the head is put right by invented tokens.
"""

from __future__ import annotations

import gc
from typing import Any

from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile, Span
from nndsl.syntax import ast
from nndsl.syntax.build import Builder
from nndsl.syntax.kinds import DEFINING, NAMED
from nndsl.syntax.layout import lay_out
from nndsl.syntax.lexer import MOST_TOKENS, Token, lex
from nndsl.syntax.reports import Reports
from nndsl.syntax.tables import Tables, load_tables

FILE_TOO_LARGE = "NN0180"

LARGEST_FILE = 1_000_000  # characters

_DECLARING = NAMED - {"UPDATE"}


class ErrorToken(Token):
    """An ERROR, with the statement that stands for what could not be read."""

    __slots__ = ("statement",)

    def __init__(self, statement: ast.ErrorStmt) -> None:
        super().__init__("ERROR", "", statement.span.start, statement.span.end)
        self.statement = statement


def parse(source: SourceFile, problems: Problems) -> ast.File:
    """The syntax tree of a file. Errors (NN01xx) go to `problems`; every statement that can be read is in the tree.

    Takes time linear in the file's size, whatever it holds, and raises nothing on account of it. Asked again for the
    same SourceFile, it gives the same tree.
    """
    if source.parsed is None:
        source.parsed = _parse(source)
    tree, reports = source.parsed
    reports.deliver(problems)
    return tree  # type: ignore[no-any-return]


def _parse(source: SourceFile) -> tuple[ast.File, Reports]:
    reports = Reports(source)
    if len(source.text) > LARGEST_FILE:
        return _too_large(reports, f"{LARGEST_FILE:,} characters")
    # Nothing that parsing makes becomes garbage before it ends; a collector walking the growing tree doubles the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        words = lex(reports)
        if len(words) > MOST_TOKENS:
            return _too_large(Reports(source), f"{MOST_TOKENS:,} names, numbers and signs")
        tokens, broken = lay_out(reports, words)
        tree = Parser(load_tables(), tokens, broken, reports).run()
    finally:
        if was_enabled:
            gc.enable()
    return tree, reports


def read_tokens(source: SourceFile) -> list[Token]:
    """The tokens of a text that parses, with BEGIN and END around every statement. Comments, line breaks and `;` stand
    in the gaps between them, and nothing else does."""
    reports = Reports(source)
    return lay_out(reports, lex(reports))[0]


def parse_expression(text: str, problems: Problems) -> ast.Expr | None:
    """The expression that `text` is, or None where it is none; what is wrong goes to `problems`."""
    found = Problems()
    tree = parse(SourceFile("expression", f"param value = {text}"), found)
    problems.items += found.items
    statement = tree.body[0] if len(tree.body) == 1 else None
    fine = isinstance(statement, ast.ParamDef) and not statement.options and not found.has_errors
    return statement.value if fine and isinstance(statement, ast.ParamDef) else None


def _too_large(reports: Reports, limit: str) -> tuple[ast.File, Reports]:
    help = "put the data into a data file and read it with a `source`, or split the model with `from … import`"
    reports.error(FILE_TOO_LARGE, f"this file is larger than {limit}", 0, 0, help=help)
    return ast.File(Span(reports.file, 0, 0), ()), reports


class Parser:
    """One run over the tokens of one file."""

    def __init__(self, tables: Tables, tokens: list[Token], broken: set[int], reports: Reports) -> None:
        self.tables = tables
        self.tokens = tokens
        self.broken = broken
        self.reports = reports
        self.states = [tables.start]
        self.values: list[Any] = []
        self.open: list[tuple[int, int]] = []  # of each open statement: the stack's height, the place of its BEGIN
        builder = Builder(reports)
        self.builder = builder
        functions = {name: builder.action(name) for _, _, name in tables.rules if name not in ("", "*", "unlexable")}
        self.functions = [functions.get(name) for _, _, name in tables.rules]

    def run(self) -> ast.File:
        tokens = self.tokens
        at, count = 0, len(tokens)
        while at < count:
            token = tokens[at]
            if not self.feed(token):
                at = self._recover(at)
                continue
            if token.type == "BEGIN":
                self.open.append((len(self.states), at))
                if token.start in self.broken:
                    at = self._give_up(at)
                    continue
            elif token.type == "END":
                self.open.pop()
            at += 1
        tree = self.values[0]
        assert isinstance(tree, ast.File)
        return tree

    def feed(self, token: Token) -> bool:
        """Reduce what ends before the token and shift it; False where it does not fit."""
        states, values = self.states, self.values
        actions, rules, functions = self.tables.actions, self.tables.rules, self.functions
        passed = self.tables.passed
        kind = token.type
        while True:
            action = actions[states[-1]].get(kind)
            if action is None:
                return False
            if action > 0:
                states.append(action - 1)
                values.append(token)
                return True
            origin, size, name = rules[-action - 1]
            if not name:  # one child, passed through: from `or` down to a name that is a dozen of rules
                way = states[-2], states[-1], kind
                states[-1] = passed.get(way) or self._pass_through(way)
                continue
            if size:
                children = values[-size:]
                del values[-size:], states[-size:]
            else:
                children = []
            if name == "*":
                if type(children[0]) is list:
                    first = children[0]
                    first.extend(children[1:])
                    children = first
                elif size > 1 and type(children[1]) is list:  # item, then the rest: `item (COMMA item)*`
                    children = [children[0], *[c for c in children[1] if type(c) is not Token or c.type == "NAME"]]
                elif size > 1 and type(children[1]) is Token and children[1].type == "COMMA":
                    children = children[:1]
                values.append(children)
            else:
                function = functions[-action - 1]
                assert function is not None
                values.append(function(children))
            states.append(actions[states[-1]][origin])
            if kind == "$END" and states[-1] == self.tables.accept:
                return True

    def _pass_through(self, way: tuple[int, int, str]) -> int:
        """The state on top once all rules have passed on their one child; `way` is (state below, state on top, kind of
        the token), and nothing else decides it. States are above 0: the start is never on top of another."""
        below, top, kind = way
        actions, rules = self.tables.actions, self.tables.rules
        while (action := actions[top].get(kind, 1)) < 0 and not rules[-action - 1][2]:
            top = actions[below][rules[-action - 1][0]]
        self.tables.passed[way] = top
        return top

    # ------------------------------------------------------------------------------------------ recovery

    def accepts(self, kind: str) -> bool:
        """Whether a token of this kind would fit here; nothing is built."""
        states = self.states[:]
        actions, rules = self.tables.actions, self.tables.rules
        while True:
            action = actions[states[-1]].get(kind)
            if action is None:
                return False
            if action > 0:
                return True
            origin, size, _ = rules[-action - 1]
            if size:
                del states[-size:]
            states.append(actions[states[-1]][origin])

    def expected(self) -> set[str]:
        """The kinds of tokens that would fit here."""
        row = self.tables.actions[self.states[-1]]
        return {kind for kind in row if kind.isupper() and self.accepts(kind)}

    def _recover(self, at: int) -> int:
        """Report the token at `at`, and go on after its statement or, where its head alone is broken, in its body."""
        height, begin = self.open[-1]
        token = self.tokens[at]
        place = token.end if token.type not in ("END", "RBRACE") else token.start
        start = self.tokens[begin].start
        start = self.reports.file.text.rfind("\n", 0, start) + 1 if self.tokens[begin + 1].indent >= 0 else start
        if not self.reports.is_full and not self.reports.blamed(start, place):
            from nndsl.syntax.explain import explain

            explain(self.reports, self.tokens, begin, at, self.expected())
        self._cut(height)
        head = self.tokens[begin + 1]
        if head.type == "NAME" and head.text.lower() in ("model", "block", "layer"):
            head.type = head.text.upper()  # `Model A {`: said above, and its body is read all the same
            at = begin + 1
        brace = self._body_of(begin, at)
        if brace is None:
            return self._give_up(begin)
        head = self.tokens[begin + 1]
        name = next((t for t in self.tokens[begin + 2 : brace] if t.type == "NAME"), None)
        name = name or Token("NAME", "_", head.end, head.end)
        if not self.feed(head):  # in an arm of a branch no definition can stand
            return self._give_up(begin)
        if head.type in ("MODEL", "BLOCK", "LAYER"):
            self.feed(name)
        if head.type in ("BLOCK", "LAYER"):
            self.feed(Token("LPAR", "", name.end, name.end))
            self.feed(Token("RPAR", "", name.end, name.end))
        return brace

    def _cut(self, height: int) -> None:
        del self.states[height:]
        del self.values[height - 1 :]

    def _body_of(self, begin: int, at: int) -> int | None:
        """Where the body of a definition opens whose head is broken at or before `at`."""
        if self.tokens[begin + 1].type not in DEFINING:
            return None
        stop = self.tokens[begin].match
        for place in range(begin + 2, stop):
            kind = self.tokens[place].type
            if kind == "LBRACE":
                after = self.tokens[place + 1].type
                return place if place >= at and after in ("BEGIN", "RBRACE") else None
        return None

    def _give_up(self, begin: int) -> int:
        """Put an ERROR in the statement's place; gives the place of its END."""
        stop = self.tokens[begin].match
        first, last = self.tokens[begin + 1], self.tokens[stop]
        span = Span(self.reports.file, first.start, max(first.end, last.end))
        declares = tuple(self.builder.ident(token) for token in self._declared(begin + 1, stop))
        self._cut(self.open[-1][0])
        self.feed(ErrorToken(ast.ErrorStmt(span, declares)))
        return stop

    def _declared(self, at: int, stop: int) -> list[Token]:
        """The names that a broken statement would have declared, as far as they can be made out."""
        head, after = self.tokens[at], self.tokens[at + 1 : at + 2]
        if head.type in _DECLARING:
            return [token for token in after if token.type == "NAME"]
        if head.type == "NAME":
            if after and after[0].type == "NAME":  # `Input x: …`
                return [head, after[0]]
            return [head] if after and after[0].type in ("EQUAL", "COMPARE", "COLON") else []
        if head.type == "FROM":
            words = self.tokens[at:stop]
            start = next((i for i, token in enumerate(words) if token.type == "IMPORT"), len(words))
            return [token for token in words[start:] if token.type == "NAME"]
        if head.type == "LPAR":
            names: list[Token] = []
            for place in range(at + 1, stop):
                token = self.tokens[place]
                if token.type == "RPAR":
                    return names if self.tokens[place + 1].type == "EQUAL" else []
                if token.type == "NAME":
                    names.append(token)
        return []
