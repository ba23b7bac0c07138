"""Text of a file as Markdown that shows it and does nothing else: no links, no HTML, no way out of a code block."""

from __future__ import annotations

import re

_SIGNS = re.compile(r"[\\`*_{}\[\]<>#|~!&@$]|:(?=/)|(?<=www)\.", re.IGNORECASE)
_FIRST = re.compile(r"^([-+=]|\d+(?=[.)]))")


def prose(text: str, most: int = 600) -> str:
    """Words of the file, a comment for instance, as one paragraph for each of its own."""
    shown: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text[:most]):
        line = " ".join(_printable(paragraph).split())
        line = _SIGNS.sub(lambda found: "\\" + found[0], line)
        line = _FIRST.sub(lambda found: "\\" + found[0] if not found[0].isdigit() else found[0] + "\\", line)
        if line:
            shown.append(line)
    return "\n\n".join(shown) + (" …" if len(text) > most else "")


def inline(text: str, most: int = 200) -> str:
    """Text as code within a line."""
    line = " ".join(_printable(text).split())
    if len(line) > most:
        line = f"{line[: most - 1]}…"
    fence = "`" * (_longest_run(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}" if line else ""


def block(text: str, language: str = "nndsl", most: int = 2000) -> str:
    """Text as a block of code."""
    lines = [_printable(line) for line in text[:most].split("\n")]
    inner = "\n".join(lines)
    fence = "`" * max(3, _longest_run(inner) + 1)
    return f"{fence}{language}\n{inner}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _printable(text: str) -> str:
    """Without control characters, among them those that turn the direction of a text around."""
    return "".join(char if char.isprintable() else " " for char in text)
