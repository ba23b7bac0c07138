"""The same program written differently: other blanks, line breaks and comments, from a seed."""

from __future__ import annotations

from random import Random

from nndsl.source import SourceFile
from nndsl.syntax.parser import read_tokens

_GOES_ON = frozenset(("COMMA", "ARROW", "EQUAL", "FACTOR", "POWER", "COMPARE", "COLON", "AND", "OR", "NOT", "ELSE"))


def rewrite(text: str, random: Random) -> str:
    """`text` with its layout thrown about."""
    tokens = read_tokens(SourceFile("noise.nn", text))
    parts: list[str] = []
    brackets: list[str] = []
    ended = False  # a statement
    calm = random.random()
    before = ""
    for token in tokens:
        kind = token.type
        if kind == "BEGIN":
            between = ["\n", "\n", "\n\n", "\n\n\n", f"\n{_comment(random)}\n"]
            if ended:
                between += ["; ", f"  {_comment(random)}\n", ";", f" ;{_comment(random)}\n"]
                parts.append(random.choice(between))
            else:
                parts.append(random.choice([*between, " "]))
            parts.append(" " * (random.choice((0, 2, 4)) + 4 * len(brackets)))
            ended, before = False, ""
            continue
        if kind == "END":
            ended = True
            continue
        if kind in ("RPAR", "RSQB", "RBRACE") and brackets:
            brackets.pop()
        elif kind == "$END":
            parts.append(random.choice(("", "\n", f"\n\n\n{_comment(random)}", f"  {_comment(random)}\n")))
            continue
        inside = bool(brackets) and brackets[-1] != "LBRACE"
        closes = kind in ("RPAR", "RSQB")
        goes_on = inside or kind in ("ARROW", "WITH") or before in _GOES_ON
        may_break = inside if closes else bool(before) and (goes_on or ended)
        indent = " " * (8 + 4 * len(brackets) + random.choice((0, 1, 4)))
        if may_break and random.random() < 0.15 * calm:
            parts.append(random.choice(("\n", "\n\n", f" {_comment(random)}\n", f"\n{_comment(random)}\n")) + indent)
        else:
            parts.append(random.choice(("", " ", " ", "   ", "\t")))
        parts.append(token.text)
        before = kind
        if kind in ("LPAR", "LSQB", "LBRACE"):
            brackets.append(kind)
            ended = False
        elif kind == "RBRACE":
            ended = False
    result = _apart(parts)
    return result.replace("\n", "\r\n") if random.random() < 0.1 else result


def _apart(parts: list[str]) -> str:
    """The parts, with a blank where two would become one word."""
    found: list[str] = []
    last = "\n"
    for part in parts:
        if part:
            if (last.isalnum() or last in "_.-'\"") and (part[0].isalnum() or part[0] in "_.'\""):
                found.append(" ")
            found.append(part)
            last = part[-1]
    return "".join(found)


def _comment(random: Random) -> str:
    return f"#{random.choice(('', ' ', '  '))}{random.choice(('why', 'x -> y', 'a; b', '(', 'é', '', '#'))}"
