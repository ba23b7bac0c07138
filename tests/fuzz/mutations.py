"""Texts that are nearly others: the mistakes of fingers, of tools, and of people with bad intentions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
_TOKEN = re.compile(r"\w+|->|\*\*|//|\.\.|[<>=!]=|\s+|[^\w\s]")
_NUMBERS = (
    "0", "1", "-1", "2", "3", "7.5", "1e308", "1e-320", "9" * 30, "10**9", "9**9**9", "2**63", "-2**63", "1/0", "0.0",
    "1_000", "none", "true", '"3"', "[]", "()", "(2,)", "[1, [2]]", "0..0", "3..1", "0..10**7", "x", "x.shape[-1]",
)  # fmt: skip
_WORDS = (
    "model block layer param import from input shared output penalty trainable state update submodel branch repeat "
    "with if else and or not in source train data options true false none relu same loss mse name dtype shape "
    "float int bool Dense Conv2D LSTM Add Concatenate Flatten Identity self x y T _ loss=mse weight=0 name=a"
).split()
_SIGNS = (
    "(", ")", "[", "]", "{", "}", ",", ";", ":", "=", "->", "..", ".", "?", "+", "-", "*", "/", "//", "%", "**", "@",
    "==", "!=", "<", "#", '"', "'", "\\", "\n", "\t", "\r", " ", "\r\n", "\0",
)  # fmt: skip
_STRANGE = (
    "é", "ß", "ſ", "İ", "\u0301", "\u200b", "\u200d", "\u202e", "\ufeff", "\u2028", "\u2029", "\x0b", "\x0c", "\x85",
    "\u00a0", "０", "٣", "²", "→", "“", "”", "‘", "’", "−", "…", "×", "Ａ", "а", "ℵ", "🙂", "👩\u200d👩\u200d👧", "𝒙",
    "\x1b[31m", "\x7f", "\ud800", "\U0010ffff", "ﬁ", "ª", "·", "℘", "፩",
)  # fmt: skip


@cache
def corpus() -> tuple[str, ...]:
    """Every program that the project holds: examples, the zoo, wrong cases, and those of the pages."""
    found = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").rglob("*.nn"))]
    for folder in ("tests/wrong/cases", "tests/cases"):
        found += [path.read_text(encoding="utf-8", errors="replace") for path in sorted((ROOT / folder).rglob("*.nn"))]
    for page in sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / "nndsl/diagnostics/explanations").glob("*.md")]):
        found += re.findall(r"^```nn\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    return tuple(dict.fromkeys(text for text in found if text.strip() and len(text) < 12_000))


@cache
def small() -> tuple[str, ...]:
    return tuple(text for text in corpus() if len(text) < 900)


@cache
def lines() -> tuple[str, ...]:
    """Every line of the corpus that holds a statement or a part of one."""
    found = dict.fromkeys(line.strip() for text in small() for line in text.split("\n"))
    return tuple(line for line in found if len(line) > 3 and not line.startswith("#"))


TYPES = ("float[8]", "float[6, 8]", "float[8, 8, 3]", "int[20]", "float[T, 4]", "bool[4]", "float[]")


def pick(random: Random, texts: Sequence[str] = ()) -> str:
    """A text of the corpus (or of `texts`), mostly a short one, since those are quick."""
    if texts and random.random() < 0.5:
        return random.choice(texts)
    return random.choice(small() if random.random() < 0.93 else corpus())


def mutated(text: str, random: Random, others: Sequence[str] = ()) -> str:
    """One to several changes."""
    for _ in range(random.choice((1, 1, 1, 1, 1, 2, 2, 3, 6))):
        text = random.choice(_CHANGES)(text, random, others) or text
    return text[:40_000]


def _delete(text: str, random: Random, others: Sequence[str]) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + text[at + random.choice((1, 1, 1, 2, 5, 40)) :]


def _insert(text: str, random: Random, others: Sequence[str]) -> str:
    at = random.randrange(len(text) + 1)
    piece = random.choice(random.choice((_SIGNS, _SIGNS, _WORDS, _STRANGE, _NUMBERS)))
    return text[:at] + piece + text[at:]


def _flip(text: str, random: Random, others: Sequence[str]) -> str:
    """Another byte, which need not leave UTF-8 behind."""
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return data.decode("utf-8", "replace")


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text) or [text]


def _replace_token(text: str, random: Random, others: Sequence[str]) -> str:
    tokens = _tokens(text)
    at = random.randrange(len(tokens))
    old = tokens[at]
    if old[:1].isdigit():
        tokens[at] = random.choice(_NUMBERS)
    elif old[:1].isalpha():
        tokens[at] = random.choice([word for word in tokens if word[:1].isalpha()] if random.random() < 0.7 else _WORDS)
    else:
        tokens[at] = random.choice(_SIGNS)
    return "".join(tokens)


def _number(text: str, random: Random, others: Sequence[str]) -> str:
    """A number for another."""
    places = [match.span() for match in re.finditer(r"\b\d[\d_.]*(?:e-?\d+)?", text)]
    if not places:
        return text
    start, end = random.choice(places)
    return text[:start] + random.choice(_NUMBERS) + text[end:]


def _swap_tokens(text: str, random: Random, others: Sequence[str]) -> str:
    tokens = _tokens(text)
    one, two = random.randrange(len(tokens)), random.randrange(len(tokens))
    tokens[one], tokens[two] = tokens[two], tokens[one]
    return "".join(tokens)


def _drop_token(text: str, random: Random, others: Sequence[str]) -> str:
    tokens = _tokens(text)
    del tokens[random.randrange(len(tokens))]
    return "".join(tokens)


def _lines(text: str, random: Random, others: Sequence[str]) -> str:
    lines = text.split("\n")
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(5):
        case 0:
            lines[one], lines[two] = lines[two], lines[one]
        case 1:
            lines.insert(one, lines[two])
        case 2:
            del lines[one]
        case 3:
            one = min(one, len(lines) - 2)
            if one >= 0:
                lines[one] += lines.pop(one + 1)
        case _:
            at = random.randint(0, len(lines[one]))
            lines[one : one + 1] = [lines[one][:at], lines[one][at:]]
    return "\n".join(lines)


def _splice(text: str, random: Random, others: Sequence[str]) -> str:
    """The head of one text, the tail of another; or lines of it in between."""
    other = pick(random, others)
    if random.random() < 0.5:
        cut, at = random.randint(0, len(text)), random.randint(0, len(other))
        return text[:cut] + other[at:]
    lines, more = text.split("\n"), other.split("\n")
    start = random.randrange(len(more))
    at = random.randint(0, len(lines))
    return "\n".join([*lines[:at], *more[start : start + random.randint(1, 4)], *lines[at:]])


def _repeat(text: str, random: Random, others: Sequence[str]) -> str:
    """A piece many times."""
    start = random.randrange(len(text) + 1)
    piece = text[start : start + random.choice((1, 2, 5, 12, 40))]
    return text[:start] + piece * random.choice((2, 3, 10, 60)) + text[start:]


def _nest(text: str, random: Random, others: Sequence[str]) -> str:
    opened, closed = random.choice(
        (("(", ")"), ("[", "]"), ("{", "}"), ("branch { ", " }"), ("repeat 2 { ", " }"), ("Wrap(", ")"), ("-", ""),
         ("not ", ""), ("(x -> ", ")"), ("1 if true else ", ""), ("2 ** ", ""))
    )  # fmt: skip
    count = random.choice((1, 2, 3, 8, 30, 150, 1000))
    tokens = _tokens(text)
    at = random.randrange(len(tokens))
    tokens[at] = opened * count + tokens[at] + closed * count
    return "".join(tokens)


def _rename(text: str, random: Random, others: Sequence[str]) -> str:
    """A name for another, everywhere."""
    words = sorted(set(re.findall(r"\b[A-Za-z_]\w*\b", text)))
    if not words:
        return text
    old, new = random.choice(words), random.choice((*words, *_WORDS))
    return re.sub(rf"\b{old}\b", new, text)


_CHANGES = (
    _delete, _insert, _insert, _flip, _replace_token, _replace_token, _number, _number, _swap_tokens, _drop_token,
    _lines, _lines, _splice, _repeat, _nest, _rename,
)  # fmt: skip
