"""What stands before the caret: open brackets and the statement at hand, from tokens alone, so that it can be told of
text that is just being typed and does not parse."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nndsl.source import SourceFile
from nndsl.syntax.bracket_errors import DEEPEST_BRACKETS
from nndsl.syntax.kinds import BODIED, CLOSERS, DEFINING, NAMED, OPENERS
from nndsl.syntax.lexer import Token, lex
from nndsl.syntax.reports import Reports
from nndsl.syntax.tables import load_tables

# A line that begins with one of these, or follows one of those, goes on with the statement before it.
_GOES_ON = {"ARROW", "WITH"}
_OPEN_ENDED = {"SIGN", "FACTOR", "POWER", "COMPARE", "DOTS", "AND", "OR", "NOT", "IF", "ELSE", "IN", "COMMA", "ARROW",
               "EQUAL", "COLON"}  # fmt: skip
GROUP = "GROUP"
"""The type of the token that stands for a closed pair of brackets and what is between them."""

_MOST_LINES = 60  # that are read back to find where a statement begins
_SCAN = re.compile(
    r"""#[^\n]*|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[{}]|^(?:model|block|layer|param|from)\b""", re.MULTILINE
)
_HEAD = re.compile(r"\b(?:(model|block|layer)\s+\w+[^{}]*|(train|data|options)\s*)$")
_STRONG = re.compile(
    r"[ \t]*(?:(?:input|output|shared|submodel|penalty|source|trainable|state|update|param|from|model|block|layer)\s+\S"
    r"|(?:train|data|options)\s*\{)"
)
_WEAK = re.compile(r"([ \t]*)(?:[A-Za-z_]\w*\s*=(?!=)|\([\w, ]*\)\s*=(?!=))")
_STRING = re.compile(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")


@dataclass
class Frame:
    """An open bracket, or the file. `word` is what opens a brace (`file`, `model`, `train`, `branch`, …), `callee` the
    name in front of a parenthesis, which is no part of the item around it. `item` are the tokens of the statement or
    argument at hand, closed brackets (with what they call) as one GROUP each; `before` are the arguments before it."""

    opener: str = ""
    word: str = ""
    callee: Token | None = None
    item: list[Token] = field(default_factory=list)
    before: list[list[Token]] = field(default_factory=list)
    head: list[Token] = field(default_factory=list)  # of a brace: what stands before it in its statement
    ended: list[Token] = field(default_factory=list)  # the statement before that at hand
    indent: int = -1  # of the statement that holds it

    @property
    def is_body(self) -> bool:
        return self.opener in ("", "LBRACE")


@dataclass
class Caret:
    """`stack` are the open brackets, the file first. `start:end` is the word at the caret, which may be empty, and
    `prefix` what of it stands before the caret. `string` is what stands between the open quote and the caret."""

    stack: list[Frame]
    start: int
    end: int
    prefix: str = ""
    string: str | None = None
    in_comment: bool = False
    silent: bool = False  # in a comment or a number, or behind a string: there is no word to be completed

    @property
    def frame(self) -> Frame:
        return self.stack[-1]

    def definition(self) -> str:
        """The name of the model, block or layer around the caret, "" outside of all."""
        head = self.stack[0].item
        return head[1].text if len(self.stack) > 1 and len(head) > 1 else ""


def caret_at(source: SourceFile, offset: int, *, whole: bool = False) -> Caret:
    """The caret at an offset. The word that ends there is being typed, unless `whole`."""
    text = source.text
    heads, start = _window(text, offset)
    tokens = [*heads, *_lexed(text, start, offset)]
    end = offset
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    found = Caret([], offset, end)
    line = text.rfind("\n", 0, offset) + 1
    last = tokens[-1] if tokens else None
    behind = max(line, last.end if last is not None else 0)
    if "#" in text[behind:offset]:
        found.silent = found.in_comment = True
    elif last is not None and last.end == offset and last.type == "STRING":
        if _STRING.fullmatch(text, last.start, offset):
            found.silent = True
        else:
            found.string, found.start = text[last.start + 1 : offset], last.start + 1
            tokens.pop()
    elif last is not None and last.end == offset and not whole:
        if last.type == "NAME" or last.text.isidentifier():
            found.prefix, found.start = last.text, last.start
            tokens.pop()
        elif last.type in ("INT", "FLOAT"):
            found.silent = True
    found.stack = _frames(tokens)
    line = text.rfind("\n", 0, found.start) + 1
    if found.string is None and not text[line : found.start].strip():
        rest = text[found.end : found.end + 80].lstrip(" \t")
        after = "EQUAL" if rest.startswith("=") and not rest.startswith("==") else ""
        _line_starts(found.stack, Token("NAME", found.prefix, found.start, found.end, found.start - line), after)
    return found


def _lexed(text: str, start: int, end: int) -> list[Token]:
    tokens = lex(Reports(SourceFile("", text[start:end])), load_tables())
    for token in tokens:
        token.start += start
        token.end += start
    return tokens


def _window(text: str, offset: int) -> tuple[list[Token], int]:
    """The heads of the bodies around an offset, and from where on the text is to be read: the beginning of the
    statement there, or of one before it."""
    braces: list[int] = []
    for found in _SCAN.finditer(text, 0, offset):
        sign = text[found.start()]
        if sign == "{":
            braces.append(found.start())
        elif sign == "}":
            if braces:
                braces.pop()
        elif sign not in "#\"'":
            braces.clear()
    heads: list[Token] = []
    start, until = 0, offset
    for brace in braces:
        line = text.rfind("\n", 0, brace) + 1
        head = _HEAD.search(text, line, brace)
        if head is None:
            until = brace  # a `branch` or `repeat`: what begins before it is read as well
            break
        heads += _lexed(text, head.start(), brace + 1)
        heads[-1].indent = -1
        start = brace + 1
    return heads, max(start, _statement_start(text, start, until))


def _statement_start(text: str, start: int, until: int) -> int:
    """The beginning of a line at or above `until` where a statement surely begins."""
    weak: tuple[int, int] | None = None  # (indent, place) of a line that looks like one
    line = text.rfind("\n", 0, until) + 1
    for _ in range(_MOST_LINES):
        if line <= start:
            return start
        if _STRONG.match(text, line):
            return line
        found = _WEAK.match(text, line)
        if found and (weak is None or len(found[1]) <= weak[0]):
            weak = (len(found[1]), line)
        line = text.rfind("\n", 0, line - 1) + 1
    return weak[1] if weak is not None else line


# ------------------------------------------------------------------------------------------------- frames


def _frames(tokens: list[Token]) -> list[Frame]:
    stack = [Frame(word="file")]
    for at, token in enumerate(tokens):
        after = tokens[at + 1].type if at + 1 < len(tokens) else ""
        if token.indent >= 0:
            _line_starts(stack, token, after)
        frame = stack[-1]
        if token.type == "SEMICOLON" and frame.is_body:
            frame.ended, frame.item = [], []
        elif token.type in CLOSERS:
            stack.append(_opened(frame, token))
        elif token.type in OPENERS:
            _close(stack, token)
        elif token.type == "COMMA" and not frame.is_body:
            frame.before.append(frame.item)
            frame.item = []
        else:
            frame.item.append(token)
    return stack


def _line_starts(stack: list[Frame], token: Token, after: str) -> None:
    """Ends what a new line ends: the statement, and brackets that were left open before it."""
    head = (token.type in NAMED and after == "NAME") or (token.type in BODIED and after == "LBRACE")
    head = head or (token.type == "FROM" and after == "STRING")
    if head:
        while len(stack) > 1 and stack[-1].word not in ("model", "block", "layer", "data", "train", "options"):
            stack.pop()
        if token.type in ("MODEL", "BLOCK", "LAYER", "PARAM", "FROM"):
            del stack[1:]
    elif token.type == "NAME" and after == "EQUAL":
        while not stack[-1].is_body and token.indent <= stack[-1].indent:
            stack.pop()
    frame = stack[-1]
    if frame.is_body and (head or not (frame.item and _goes_on(frame.item[-1], token))):
        frame.ended, frame.item = frame.item, []
    if frame.is_body and not frame.item:
        frame.indent = token.indent


def _goes_on(last: Token, token: Token) -> bool:
    return token.type in _GOES_ON or last.type in _OPEN_ENDED


def _opened(frame: Frame, token: Token) -> Frame:
    item = frame.item
    new = Frame(token.type, indent=frame.indent)
    if token.type == "LBRACE":
        first = item[0] if item else token
        new.head = list(item)
        if first.type in DEFINING and not any(t.type == "EQUAL" for t in item):
            new.word = first.text
        else:
            new.word = "repeat" if any(t.type == "REPEAT" for t in item) else "branch"
    elif token.type == "LPAR" and item and item[-1].type == "NAME":
        new.callee = item.pop()
    return new


def _close(stack: list[Frame], token: Token) -> None:
    opener = OPENERS[token.type]
    # No text that parses has more open; looking further would take long in a text of brackets alone.
    for depth in range(len(stack) - 1, max(len(stack) - 1 - DEEPEST_BRACKETS, 0), -1):
        if stack[depth].opener == opener:
            callee = stack[depth].callee
            del stack[depth:]
            text, start = ("", token.start) if callee is None else (callee.text, callee.start)
            stack[-1].item.append(Token(GROUP, text, start, token.end))
            return
        if stack[depth].opener == "LBRACE":
            return  # a closing bracket too many
