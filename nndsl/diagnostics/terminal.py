"""Text for terminals: colour, the width of characters, and characters that must not reach the terminal as they are."""

from __future__ import annotations

import os
import unicodedata
from functools import lru_cache
from typing import TextIO

TAB = 4

_SGR = {
    "error": "1;31",
    "warning": "1;33",
    "title": "1",
    "gutter": "1;34",
    "related": "1;34",
    "add": "32",
    "remove": "31",
}


def want_color(stream: TextIO, choice: str = "auto") -> bool:
    """Whether to colour what goes to `stream`: `choice` is `always`, `never` or `auto`.

    With `auto`, NO_COLOR (https://no-color.org) wins over FORCE_COLOR, and both over TERM=dumb and over whether the
    stream is a terminal.
    """
    if choice != "auto":
        return choice == "always"
    environ = os.environ
    if environ.get("NO_COLOR"):
        return False
    force = environ.get("FORCE_COLOR")
    if force:
        return force.lower() not in ("0", "false", "no")
    return environ.get("TERM") != "dumb" and stream.isatty()


def paint(role: str, text: str, color: bool) -> str:
    """`text` in the colour of its role (`""` for plain)."""
    if not color or role not in _SGR or not text:
        return text
    return f"\x1b[{_SGR[role]}m{text}\x1b[0m"


@lru_cache(maxsize=4096)
def _shown(char: str) -> str:
    code = ord(char)
    if 32 <= code < 127:
        return char
    if code < 32:
        return chr(0x2400 + code)  # the control pictures: an escape is shown as ␛
    if code == 127:
        return "␡"
    # Cf holds the marks that reorder or hide text (bidirectional controls, zero-width joiners).
    if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"):
        return f"<U+{code:04X}>"
    return char


def visible(text: str, *, keep: str = "") -> str:
    """`text` with every control, format and unassigned character replaced by a visible one, save those in `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char in keep else _shown(char) for char in text)


@lru_cache(maxsize=4096)
def char_cells(char: str) -> int:
    """How many cells of a terminal a printable character takes: 0, 1 or 2."""
    code = ord(char)
    if code < 0x300:
        return 1
    if unicodedata.category(char) in ("Mn", "Me") or 0x1160 <= code <= 0x11FF:  # the latter: Hangul vowels and finals
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


@lru_cache(maxsize=16)  # many problems may be on one long line
def lay_out(line: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """A source line as it is shown: the text for each code point, and the cell at which each starts.

    The second is longer by one: its last item is the width of the whole line. Tabs go to the next tab stop.
    """
    shown: list[str] = []
    starts = [0]
    at = 0
    for char in line:
        if char == "\t":
            text = " " * (TAB - at % TAB)
            at += len(text)
        else:
            text = _shown(char)
            at += len(text) if len(text) > 1 else char_cells(text)
        shown.append(text)
        starts.append(at)
    return tuple(shown), tuple(starts)
