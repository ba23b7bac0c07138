"""The values of numbers and strings, read by hand: no text of the user's is ever evaluated."""

from __future__ import annotations

import math
import re

from nndsl.syntax.lexer import BAD_NUMBER, Token
from nndsl.syntax.reports import Reports

BAD_ESCAPE = "NN0105"
NUMBER_TOO_LONG = "NN0183"
STRING_TOO_LONG = "NN0184"

LONGEST_NUMBER = 40
LONGEST_STRING = 10_000

_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|u|.)", re.S)
_SIMPLE = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\", '\\"': '"', "\\'": "'"}


def read_integer(token: Token, reports: Reports) -> int:
    return 0 if _too_long(token, reports) else int(token.text.replace("_", ""))


def read_float(token: Token, reports: Reports) -> float:
    if _too_long(token, reports):
        return 0.0
    value = float(token.text.replace("_", ""))
    if math.isfinite(value):
        return value
    help = "the largest number that a computer's floats hold is about 1.8e308"
    reports.error(BAD_NUMBER, f"`{token.text}` is too large a number", token.start, token.end, help=help)
    return 0.0


def _too_long(token: Token, reports: Reports) -> bool:
    if len(token.text) <= LONGEST_NUMBER:
        return False
    message = f"this number has more than {LONGEST_NUMBER} characters"
    help = "no size or setting needs that many digits; large numbers can be written 1e30"
    reports.error(NUMBER_TOO_LONG, message, token.start, token.end, help=help)
    return True


def read_string(token: Token, reports: Reports) -> str:
    inner = token.text[1:-1]
    if len(inner) > LONGEST_STRING:
        message = f"this string is longer than {LONGEST_STRING:,} characters"
        help = "keep long text in a data file"
        reports.error(STRING_TOO_LONG, message, token.start, token.start + 20, help=help)
        return inner[:LONGEST_STRING]
    if "\\" not in inner:
        return inner
    start = token.start + 1

    def decode(found: re.Match[str]) -> str:
        text = found.group()
        if text in _SIMPLE:
            return _SIMPLE[text]
        if len(text) == 6 and not 0xD800 <= int(text[2:], 16) <= 0xDFFF:
            return chr(int(text[2:], 16))
        _bad_escape(text, start + found.start(), reports)
        return text

    return _ESCAPE.sub(decode, inner)


def _bad_escape(text: str, at: int, reports: Reports) -> None:
    if text.startswith("\\u"):
        help = "after \\u stand four hexadecimal digits of a character, \\u00e9 for é; or write the character itself"
    else:
        help = (
            "the escapes are \\n \\t \\r \\\\ \\\" \\' and \\uXXXX; a backslash itself is written \\\\, in a path use /"
        )
    fixes = reports.fix("double the backslash", (at, at + 1, "\\\\"))
    reports.error(BAD_ESCAPE, f"`{text}` is not an escape of a string", at, at + len(text), help=help, fixes=fixes)
