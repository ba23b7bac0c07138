"""Text to tokens, in one sweep that never fails: what is no token is reported and, where its meaning is plain,
replaced by the token that was meant, so that the statement around it can still be read.
"""

from __future__ import annotations

import re
from functools import cache

from nndsl.syntax.reports import Reports
from nndsl.syntax.tables import Tables, load_tables

UNKNOWN_CHARACTER = "NN0102"
FOREIGN_SPELLING = "NN0103"
OPEN_STRING = "NN0104"
BAD_NUMBER = "NN0106"
NAME_TOO_LONG = "NN0185"


class Token:
    """A token with its place. `indent` is its column (from 0) where it is the first of its line, else -1."""

    __slots__ = ("end", "indent", "match", "start", "text", "type")

    def __init__(self, type: str, text: str, start: int, end: int, indent: int = -1) -> None:
        self.type = type
        self.text = text
        self.start = start
        self.end = end
        self.indent = indent
        self.match = -1  # of a BEGIN: where its END stands in the laid-out tokens

    def __repr__(self) -> str:
        return f"{self.type} {self.text!r} at {self.start}"


# What was written -> (the token that was meant, or "" to leave it out; how it is spelled here; what to say).
_ARROW = ("ARROW", "->", "a value flows to the next layer with `->`")
_FOREIGN: dict[str, tuple[str, str, str]] = {
    **dict.fromkeys(("=>", "-->", "~>", "|>", "|", "→", "⇒", "⟶", "➔", "−>", "–>", "—>"), _ARROW),
    **dict.fromkeys(("&&", "&"), ("AND", "and", "two conditions are joined with `and`")),
    "||": ("OR", "or", "two conditions are joined with `or`"),
    "!": ("NOT", "not", "a condition is turned around with `not`"),
    ":=": ("EQUAL", "=", "a name is given to a value with `=`"),
    "^": ("POWER", "**", "a power is written `**`"),
    "·": ("FACTOR", "*", "a product is written `*`"),
    "×": ("FACTOR", "*", "a product is written `*`"),
    "÷": ("FACTOR", "/", "a quotient is written `/`"),
    "<>": ("COMPARE", "!=", "unequal is written `!=`"),
    "≠": ("COMPARE", "!=", "unequal is written `!=`"),
    "≤": ("COMPARE", "<=", "at most is written `<=`"),
    "≥": ("COMPARE", ">=", "at least is written `>=`"),
    **dict.fromkeys("−–—", ("SIGN", "-", "a minus is the plain `-` of the keyboard")),
    "…": ("DOTS", "..", "a range is written with two dots, `0..4`"),
    "\u00a0": ("", " ", "the text has a no-break space here, which looks like a space and is none"),
}
MOST_TOKENS = 100_000
LONGEST_NAME = 200
_PLACEHOLDER = "0"  # the value that a number takes which cannot be read


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def lex(reports: Reports, tables: Tables | None = None) -> list[Token]:
    """All tokens of the file, without blanks, comments and line breaks; a byte-order mark at its start is skipped.

    One more than MOST_TOKENS at most: the file is refused then, and the rest need not be looked at.
    """
    tables = tables or load_tables()
    text = reports.file.text
    words = tables.words
    tokens: list[Token] = []
    append = tokens.append
    line_start = 1 if text.startswith("\ufeff") else 0
    is_first = True
    unknown_end = -1  # where the last character without a meaning ends
    expression = _compiled(tables.ascii_lexer if text.isascii() else tables.lexer)
    for found in expression.finditer(text, line_start):
        kind = found.lastgroup
        if kind == "BLANK" or kind == "COMMENT":
            continue
        start, end = found.span()
        if kind == "NEWLINE":
            is_first = True
            line_start = end
            continue
        if len(tokens) > MOST_TOKENS:
            break
        value = found.group()
        if kind == "NAME":
            kind = words.get(value, "NAME")
            if end - start > LONGEST_NAME:
                value = _long_name(reports, value, start, end)
        elif kind == "UNKNOWN" and start == unknown_end:  # one report for a row of them
            unknown_end = end
            continue
        elif kind in _REPAIRS:
            if kind == "UNKNOWN":
                unknown_end = end
            token = _REPAIRS[kind](reports, Token(kind, value, start, end))
            if token is None:
                continue
            kind, value = token.type, token.text
        assert kind is not None
        if is_first:
            append(Token(kind, value, start, end, start - line_start))
            is_first = False
        else:
            append(Token(kind, value, start, end))
    return tokens


def _foreign(reports: Reports, token: Token) -> Token | None:
    kind, spelling, saying = _FOREIGN[token.text]
    shown = "this space" if token.text == "\u00a0" else f"`{token.text}`"
    message = f"{shown} is not part of the language" if kind else "a no-break space stands where a space is meant"
    fixes = reports.fix(f"write `{spelling}`" if kind else "put a space", (token.start, token.end, spelling))
    help = f"{saying}" if kind else f"{saying}: put an ordinary space"
    if token.text == "=>" or token.text == "!":
        help += {"=>": "; at least is `>=`", "!": "; unequal is `!=`"}[token.text]
    label = f"write `{spelling}` here" if kind else ""
    reports.error(FOREIGN_SPELLING, message, token.start, token.end, label, help=help, fixes=fixes)
    return Token(kind, spelling, token.start, token.end) if kind else None


def _curly(reports: Reports, token: Token) -> Token:
    inner = token.text[1:-1]
    reports.error(
        FOREIGN_SPELLING,
        "typographic quotes do not make a string",
        token.start,
        token.end,
        help="a string stands between plain quotes, `\"` or `'`",
        fixes=reports.fix("use plain quotes", (token.start, token.end, f'"{inner}"')),
    )
    return Token("STRING", f'"{inner}"', token.start, token.end)


def _open_string(reports: Reports, token: Token) -> Token:
    quote = token.text[0]
    word = re.match(r"[\w./-]*", token.text[1:])
    end = token.start + 1 + (word.end() if word else 0)
    other = token.text[end - token.start : end - token.start + 1]
    message, label = "this string has no end", f"the closing {quote} is missing on this line"
    help = f"put a {quote} where the text ends; a string cannot go on to the next line (write \\n for a line break)"
    fixes = reports.fix(f"put a {quote}", (end, end, quote)) if end > token.start + 1 else ()
    if other in ('"', "'"):
        message, label = f"this string begins with {quote} and ends with {other}", ""
        help, fixes = "put the same sign at both ends", reports.fix(f"change to {quote}", (end, end + 1, quote))
    reports.error(OPEN_STRING, message, token.start, token.end, label, help=help, fixes=fixes)
    inner = token.text[1:]
    escaped = (len(inner) - len(inner.rstrip("\\"))) % 2
    return Token("STRING", quote + inner[: len(inner) - escaped] + quote, token.start, token.end)


def _bad_number(reports: Reports, token: Token) -> Token:
    text = token.text
    word = re.fullmatch(r"([0-9][0-9_]*)([A-Za-z]\w*)", text)  # not both may take a `_`: that would be quadratic
    if re.search(r"[−–—]", text):
        help = f"a minus is the plain `-` of the keyboard: `{_short(re.sub('[−–—]', '-', text))}`"
    elif re.fullmatch(r"0[xXbBoO]\w+", text):
        help = "numbers are written in the decimal system"
    elif re.fullmatch(r"\d+([xX]\d+)+", text):
        help = f"sizes are separated by commas: `{', '.join(re.split('[xX]', text))}`"
    elif text.count(".") > 1:
        help = "a number has one decimal point; a range is written with two dots side by side, `1..3`"
    elif re.fullmatch(r"[0-9.]+[eE]\w*", text):
        help = "after the `e` stands a whole number: `1e-3`"
    elif word:
        product = f"{_short(word[1])} * {_short(word[2])}"
        help = f"a name does not begin with a digit; a product is written with a sign, `{product}`"
    else:
        help = "numbers look like 10, 10_000, 0.5 or 1e-3"
    reports.error(BAD_NUMBER, f"`{_short(text)}` is not a number", token.start, token.end, help=help)
    return Token("INT", _PLACEHOLDER, token.start, token.end)


def _bad_name(reports: Reports, token: Token) -> Token:
    reports.error(
        UNKNOWN_CHARACTER,
        f"`{_short(token.text)}` cannot be a name",
        token.start,
        token.end,
        help="names are made of the letters a to z and A to Z, digits and `_`, so that they can stand in every program",
    )
    return Token("NAME", token.text, token.start, token.end)


def _long_name(reports: Reports, text: str, start: int, end: int) -> str:
    reports.error(
        NAME_TOO_LONG, f"`{_short(text)}` is longer than {LONGEST_NAME} characters", start, end,
        help="a name stands in the program, in weight files and in tables: shorten it",
    )  # fmt: skip
    return text[:LONGEST_NAME]


def _unknown(reports: Reports, token: Token) -> None:
    text = token.text
    shown = f"`{text}`" if text.isprintable() else f"the control character U+{ord(text):04X}"
    saying = f"{shown} has no meaning in the language"
    help = {
        "\\": "a statement goes on over a line break inside brackets, before `->` and after `,`: no `\\` is needed",
        "@": "a matrix product is written `a @ b`",
        "“": 'a string stands between plain quotes, `"`',
        "”": 'a string stands between plain quotes, `"`',
    }.get(text, "take it out, or put it in a comment (after `#`) or a string")
    fixes = reports.fix("take it out", (token.start, token.end, ""))
    if not reports.blamed(token.start - 1, token.start - 1):  # one report for a row of them
        reports.error(UNKNOWN_CHARACTER, saying, token.start, token.end, help=help, fixes=fixes)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}…"


_REPAIRS = {
    "FOREIGN": _foreign,
    "CURLY_STRING": _curly,
    "OPEN_STRING": _open_string,
    "BAD_NUMBER": _bad_number,
    "BAD_NAME": _bad_name,
    "UNKNOWN": _unknown,
}
