"""A Pygments lexer for .nn text: highlighting on the web, in notebooks, in Sphinx and in the terminal (`pygmentize`).

It has no rules of its own: the tokens are those of the language's lexer, and what a name stands for is told from the
tokens beside it. Pygments finds the class through the entry point in pyproject.toml; nndsl itself never imports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import ClassVar

from pygments.lexer import Lexer
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
    _TokenType,
)  # fmt: skip

from nndsl.syntax.kinds import CLOSERS, NAMED, OPENERS
from nndsl.syntax.lexer import Token
from nndsl.syntax.names import CONSTANTS
from nndsl.syntax.tables import load_tables

_ERRORS = frozenset(("FOREIGN", "CURLY_STRING", "OPEN_STRING", "BAD_NUMBER", "BAD_NAME", "UNKNOWN"))
_SKIPPED = frozenset(("BLANK", "NEWLINE", "COMMENT"))
_FIXED: dict[str, _TokenType] = {
    "BLANK": Whitespace, "NEWLINE": Whitespace, "COMMENT": Comment.Single,
    "INT": Number.Integer, "FLOAT": Number.Float, "STRING": String,
    **dict.fromkeys(("ARROW", "COMPARE", "POWER", "FACTOR", "SIGN", "DOTS", "DOT", "EQUAL", "QUESTION"), Operator),
    **dict.fromkeys((*CLOSERS, *OPENERS, "COMMA", "COLON", "SEMICOLON"), Punctuation),
    **dict.fromkeys(("AND", "OR", "NOT", "IN"), Operator.Word),
    **dict.fromkeys(("FROM", "IMPORT"), Keyword.Namespace),
    **dict.fromkeys(NAMED, Keyword.Declaration),
}  # fmt: skip
_NOTHING = Token("$END", "", 0, 0)


class NndslLexer(Lexer):
    """Tokens of a text, whatever is wrong with it; what the language has no token for is `Error`."""

    name = "nndsl"
    url = "https://pypi.org/project/nndsl/"
    aliases: ClassVar = ["nndsl", "nn"]
    filenames: ClassVar = ["*.nn"]
    mimetypes: ClassVar = ["text/x-nndsl"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, _TokenType, str]]:
        """(offset, type, text) for every piece of the text: joined, they are the text."""
        tokens = list(_tokens(text))
        types = _types([token for token in tokens if token.type not in _SKIPPED])
        end = 0
        for token in tokens:
            if token.start > end:  # a byte-order mark, or a blank that the language does not know
                yield end, Whitespace, text[end : token.start]
            kind = _FIXED[token.type] if token.type in _SKIPPED else types[token.start]
            yield token.start, kind, token.text
            end = token.end
        if end < len(text):
            yield end, Whitespace, text[end:]

    @staticmethod
    def analyse_text(text: str) -> float:
        """How sure a guess is that this is .nn text: nothing else declares a model and lets values flow."""
        declares = re.search(r"^(?:model [A-Za-z_]\w* \{|(?:block|layer) [A-Za-z_]\w*\()", text, re.M)
        return 0.0 if declares is None else 0.8 if "->" in text else 0.3


@cache
def _language() -> tuple[re.Pattern[str], dict[str, str]]:
    tables = load_tables()
    return re.compile(tables.lexer), tables.words


def _tokens(text: str) -> Iterator[Token]:
    pattern, words = _language()
    for found in pattern.finditer(text, 1 if text.startswith("\ufeff") else 0):
        kind = found.lastgroup or ""
        value = found.group()
        yield Token(words.get(value, kind) if kind == "NAME" else kind, value, found.start(), found.end())


def _types(tokens: list[Token]) -> dict[int, _TokenType]:
    """The type of each token by its offset; `tokens` are those that count, without blanks and comments."""
    types: dict[int, _TokenType] = {}
    open_brackets = [""]
    before = ""
    for token, following in zip(tokens, [*tokens[1:], _NOTHING], strict=True):
        kind, after = token.type, following.type
        if kind in CLOSERS:
            open_brackets.append(before if kind == "LBRACE" else kind)  # of a body: what it belongs to
        elif kind in OPENERS and len(open_brackets) > 1:
            open_brackets.pop()
        inside = open_brackets[-1]
        if kind in _ERRORS:
            found = Error
        elif after == "EQUAL" and (kind == "NAME" or token.text in _language()[1]):
            is_argument = inside in ("LPAR", "TRAIN", "OPTIONS") or before in ("WITH", "COMMA")
            found = Name.Attribute if is_argument and before not in NAMED else Name.Variable
        elif kind == "NAME":
            found = _name(token.text, before, after, inside)
        else:
            found = _FIXED.get(kind, Keyword)
        types[token.start] = found
        before = kind
    return types


def _name(text: str, before: str, after: str, inside: str) -> _TokenType:
    """What a name stands for that no `=` follows."""
    if before == "MODEL":
        return Name.Class
    if before in NAMED and after != "LPAR":
        return Name.Variable
    if before == "DOT":
        return Name.Attribute
    if after == "LPAR":
        return Name.Function  # a layer, a block, a function
    if before == "COLON" and after == "LSQB" and inside != "LSQB":
        return Keyword.Type
    return Keyword.Constant if text in CONSTANTS else Name
