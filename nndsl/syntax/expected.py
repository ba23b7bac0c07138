"""How tokens, and the kinds of tokens that would fit, are called in messages."""

from __future__ import annotations

from nndsl.syntax.kinds import STARTS_VALUE
from nndsl.syntax.lexer import Token

_OPERATORS = frozenset(("SIGN", "FACTOR", "POWER", "COMPARE", "DOTS", "AND", "OR", "IF", "DOT", "LSQB", "IN"))
# In this order; a group is named once all of its first set fit, and then takes the place of its second set.
_GROUPS: tuple[tuple[frozenset[str], frozenset[str], str], ...] = (
    (STARTS_VALUE, STARTS_VALUE | {"NOT", "BRANCH", "REPEAT"}, "a value"),
    (frozenset(("SIGN", "FACTOR")), _OPERATORS, ""),
)
_WORDS = {
    "NAME": "a name",
    "STRING": "a string",
    "INT": "a number",
    "END": "the end of the line",
    "ARROW": "`->`",
    "EQUAL": "`=`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "LPAR": "`(`",
    "LSQB": "`[`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "WITH": "`with`",
    "ELSE": "`else`",
    "IMPORT": "`import`",
    "QUESTION": "`?`",
}
_MOST = 4


def describe(token: Token) -> str:
    """A token as a message names it."""
    if token.type == "END":
        return "the end of the statement"
    if token.type == "STRING":
        return "a string"
    text = token.text if len(token.text) <= 40 else f"{token.text[:37]}…"
    return f"`{text}`" if text else "the end of the file"


def phrase(kinds: set[str]) -> str:
    """At most four alternatives, in a fixed order: "`,` or `)`". Empty where there is nothing useful to say."""
    left = set(kinds)
    found = []
    for needed, covered, name in _GROUPS:
        if needed <= left:
            left -= covered
            if name:
                found.append(name)
    found += [word for kind, word in _WORDS.items() if kind in left]
    found = found[:_MOST]
    return " or ".join(([", ".join(found[:-1])] if len(found) > 1 else []) + found[-1:])
