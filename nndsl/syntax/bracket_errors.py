"""What the layout has to say: brackets that do not match, statements that run together, nests without end."""

from __future__ import annotations

from nndsl.diagnostics.model import Label
from nndsl.syntax.kinds import CLOSERS, OPENERS
from nndsl.syntax.lexer import Token
from nndsl.syntax.reports import Reports

UNCLOSED = "NN0107"
STRAY_CLOSER = "NN0108"
MISSING_BREAK = "NN0121"
BRACE_ON_NEXT_LINE = "NN0125"
NESTED_TOO_DEEP = "NN0181"
EXPRESSION_TOO_DEEP = "NN0182"

DEEPEST_BRACKETS = 100
DEEPEST_EXPRESSION = 200

_TEXT = {"LPAR": "(", "LSQB": "[", "LBRACE": "{", "RPAR": ")", "RSQB": "]", "RBRACE": "}"}


def unclosed(reports: Reports, opener: Token, stop: Token, last: Token) -> None:
    """`last` is the last token inside of the bracket, `stop` the one that showed that it was left open."""
    closer = _TEXT[CLOSERS[opener.type]]
    related: tuple[Label, ...] = ()
    if opener.type == "LBRACE" and stop.end > stop.start:
        related = (reports.label(stop.start, stop.end, "the body must end before this"),)
    elif last.start > opener.start:
        what = "the file ends here" if opener.type == "LBRACE" else "the statement ends here"
        related = (reports.label(last.start, last.end, what),)
    reports.error(
        UNCLOSED,
        f"this `{opener.text}` is never closed",
        opener.start,
        opener.end,
        f"the matching `{closer}` is missing",
        related=related,
        help=f"put a `{closer}` where what it encloses ends",
    )


def stray(reports: Reports, token: Token) -> None:
    reports.error(
        STRAY_CLOSER,
        f"this `{token.text}` closes nothing",
        token.start,
        token.end,
        f"no `{_TEXT[OPENERS[token.type]]}` is open here",
        help="take it out, or open the bracket where it should begin",
        fixes=reports.fix("take it out", (token.start, token.end, "")),
    )


def wrong_closer(reports: Reports, opener: Token, token: Token) -> Token:
    """Gives the closer that was meant."""
    wanted = _TEXT[CLOSERS[opener.type]]
    reports.error(
        STRAY_CLOSER,
        f"`{opener.text}` is closed by `{token.text}`",
        token.start,
        token.end,
        f"expected `{wanted}`",
        related=(reports.label(opener.start, opener.end, "opened here"),),
        help=f"close it with `{wanted}`",
        fixes=reports.fix(f"write `{wanted}`", (token.start, token.end, wanted)),
    )
    return Token(CLOSERS[opener.type], wanted, token.start, token.end)


def missing_break(reports: Reports, token: Token, previous: Token) -> None:
    reports.error(
        MISSING_BREAK,
        f"`{token.text}` begins a new statement in the middle of a line",
        token.start,
        token.end,
        "a line break or `;` is missing before it",
        help="statements are separated by line breaks or `;`",
        fixes=reports.fix("put a `;`", (previous.end, previous.end, ";")),
    )


def brace_on_next_line(reports: Reports, token: Token, previous: Token) -> None:
    between = reports.file.text[previous.end : token.start]
    reports.error(
        BRACE_ON_NEXT_LINE,
        "the `{` belongs at the end of the line before",
        token.start,
        token.end,
        help="a line break ends a statement, so its body opens on its own line",
        fixes=() if "#" in between else reports.fix("move it up", (previous.end, token.end, " {")),
    )


def nested_too_deep(reports: Reports, token: Token) -> None:
    message = f"brackets are nested more than {DEEPEST_BRACKETS} deep"
    reports.error(NESTED_TOO_DEEP, message, token.start, token.end, help="give the inner parts names of their own")


def expression_too_deep(reports: Reports, token: Token) -> None:
    message = f"this expression has more than {DEEPEST_EXPRESSION} steps"
    help = "give parts of it names of their own"
    reports.error(EXPRESSION_TOO_DEEP, message, token.start, token.end, "the limit is reached here", help=help)
