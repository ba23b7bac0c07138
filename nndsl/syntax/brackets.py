"""What the layout knows before it starts: which brackets belong together, and what a line looks like."""

from __future__ import annotations

from nndsl.records import fresh, mutable
from nndsl.syntax.kinds import BODIED, CLOSERS, HEADS, NAMED, OPENERS
from nndsl.syntax.lexer import Token

_NOTHING = Token("$END", "", 0, 0)


@mutable
class Brackets:
    """`pairs[i]` is the place among the tokens of the closer of the opener at `i`; `unpaired` holds the offsets of
    openers without one. The braces too few and too many are counted."""

    pairs: dict[int, int] = fresh(default_factory=dict)
    unpaired: set[int] = fresh(default_factory=set)
    missing_braces: int = 0
    surplus_braces: int = 0


def pair_brackets(tokens: list[Token]) -> Brackets:
    """A brace ends what is open inside of it; a `)` or `]` reaches over one open bracket at most."""
    found = Brackets()
    stack: list[int] = []
    for at, token in enumerate(tokens):
        kind = token.type
        if kind in CLOSERS:
            stack.append(at)
        elif kind in OPENERS:
            opener = OPENERS[kind]
            if stack and tokens[stack[-1]].type == opener:
                found.pairs[stack.pop()] = at
            elif kind == "RBRACE":
                while stack and tokens[stack[-1]].type != "LBRACE":
                    found.unpaired.add(tokens[stack.pop()].start)
                if stack:
                    found.pairs[stack.pop()] = at
                else:
                    found.surplus_braces += 1
            elif len(stack) > 1 and tokens[stack[-2]].type == opener:
                found.unpaired.add(tokens[stack.pop()].start)
                found.pairs[stack.pop()] = at
    for at in stack:
        found.unpaired.add(tokens[at].start)
        found.missing_braces += tokens[at].type == "LBRACE"
    return found


def looks_like_statement(tokens: list[Token], at: int, brackets: Brackets) -> str:
    """ "keyword" for a word that begins a statement with what must follow it, "name" for `NAME =`, `NAME ->` and
    `(…) =`, else ""."""
    token = tokens[at]
    kind = token.type
    after = tokens[at + 1] if at + 1 < len(tokens) else _NOTHING
    if kind == "NAME":
        return "name" if after.type == "EQUAL" or after.type == "ARROW" else ""
    if kind in NAMED:
        return "keyword" if after.type == "NAME" or (after.indent < 0 and after.type in HEADS) else ""
    if kind in BODIED:
        return "keyword" if after.type == "LBRACE" else ""
    if kind == "FROM":
        return "keyword" if after.type == "STRING" else ""
    if kind == "IMPORT":
        return "keyword" if after.type in ("NAME", "STRING") else ""
    if kind == "LPAR" and at in brackets.pairs:
        closer = brackets.pairs[at]
        if closer + 1 < len(tokens) and tokens[closer + 1].type == "EQUAL":
            return "name"
    return ""
