"""The tokens of a file with what the lexer leaves out: comments, line breaks and blank lines."""

from __future__ import annotations

import re
from collections.abc import Collection

from nndsl.source import SourceFile
from nndsl.syntax.kinds import ENDS_VALUE
from nndsl.syntax.lexer import Token
from nndsl.syntax.names import CONSTANTS
from nndsl.syntax.parser import read_tokens

_SPELLINGS = {word: word.lower() for word in CONSTANTS}


class Word:
    """A token as it is written anew. Its kind BEGIN or END stands around statements and has no text."""

    __slots__ = ("blank", "breaks", "is_unary", "kind", "lead", "pad", "text", "trail")

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text
        self.lead: list[tuple[bool, str]] = []  # comments on lines of their own before it; is a blank line above?
        self.trail = ""  # the comment at the end of its line
        self.blank = False  # a blank line stands directly above it
        self.breaks = False  # it is the first of its line
        self.is_unary = False
        self.pad = 0  # spaces put before it to align it with its neighbors

    @property
    def width(self) -> int:
        return len(self.text)

    @property
    def first(self) -> Word:
        return self

    last = first


def read_words(source: SourceFile, options: Collection[int] = ()) -> list[Word]:
    """The words of a text that parses. The last is `$END`, which bears the comments at the end of the file. `options`
    are the places of strings that lose their quotes."""
    text = source.text
    words: list[Word] = []
    real: list[Word] = []  # those that are written
    at = 1 if text.startswith("\ufeff") else 0
    before = ""
    tokens = read_tokens(source)
    for place, token in enumerate(tokens):
        word = Word(token.type, "")
        words.append(word)
        if token.type in ("BEGIN", "END"):
            before = ""
            continue
        end = len(text) if token.type == "$END" else token.start
        _attach(text[at:end], real[-1] if real else None, word)
        at = max(token.end, end)
        following = tokens[place + 1].type if place + 1 < len(tokens) else ""
        if token.start in options and token.type == "STRING":
            word.kind, word.text = "NAME", token.text[1:-1]
        else:
            word.text = _spelling(token, before, following)
        word.is_unary = token.type == "SIGN" and before not in ENDS_VALUE
        before = token.type
        real.append(word)
    _move_comments(real)
    return words


def comments_of(words: list[Word]) -> list[str]:
    """The comments in their order."""
    found: list[str] = []
    for word in words:
        found += (text for _, text in word.lead)
        if word.trail:
            found.append(word.trail)
    return found


def _attach(gap: str, before: Word | None, word: Word) -> None:
    """What stands between two tokens: blanks, `;` and comments."""
    if "\n" not in gap and "#" not in gap:
        return
    lines = gap.split("\n")
    blank = False
    for number, line in enumerate(lines):
        at = line.find("#")
        comment = line[at:].rstrip() if at >= 0 else ""
        if number == 0 and before is not None:
            before.trail = comment
        elif comment:
            word.lead.append((blank, comment))
            blank = False
        elif number < len(lines) - 1:
            blank = True
    word.blank = blank
    word.breaks = len(lines) > 1


def _move_comments(words: list[Word]) -> None:
    """Comments around a comma go behind it, those behind `->` before it, where lines are broken."""
    for before, word, after in zip(words, words[1:], words[2:], strict=False):
        if word.kind == "COMMA" and (before.trail or word.lead):
            moved = [text for text in (before.trail, *(text for _, text in word.lead), word.trail) if text]
            word.trail = moved.pop(0) if before.trail else ""
            before.trail, word.lead = "", []
            after.lead[:0] = [(False, text) for text in moved]
            after.breaks = True
        elif word.kind == "ARROW":
            if word.trail and not before.trail and not word.lead:
                before.trail = word.trail
            elif word.trail:
                word.lead.append((False, word.trail))
            word.lead += after.lead
            word.breaks = word.breaks or after.breaks
            word.trail, after.lead, after.breaks = "", [], False


def drop(comma: Word, before: Word) -> None:
    """Leaves out a comma; its comment stays."""
    before.trail = comma.trail or before.trail


def _spelling(token: Token, before: str, following: str) -> str:
    text = token.text
    if token.type == "NAME":
        is_value = before != "DOT" and following not in ("EQUAL", "LPAR")
        return _SPELLINGS.get(text, text) if is_value else text
    if token.type == "FLOAT":
        text = text.lower()
        text = f"0{text}" if text.startswith(".") else text
        return f"{text}0" if text.endswith(".") else text
    if token.type == "STRING" and text.startswith("'"):
        inner = re.sub(r"\\(.)", lambda found: "'" if found[1] == "'" else found[0], text[1:-1], flags=re.S)
        return text if re.search(r'(?<!\\)(?:\\\\)*"', inner) else f'"{inner}"'
    return text
