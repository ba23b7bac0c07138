"""The colours of a .nn file where no server runs: the TextMate grammar, in the engine that VS Code uses.

Needs what `make editors` installs; CI does so first.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path

import pytest

from nndsl.source import SourceFile
from nndsl.syntax.lexer import lex
from nndsl.syntax.reports import Reports

ROOT = Path(__file__).parents[2]
HOME = ROOT / "editors/vscode"
GRAMMAR = HOME / "syntaxes/nndsl.tmLanguage.json"
EXAMPLES = sorted((ROOT / "examples").rglob("*.nn"))
WRONG = sorted((ROOT / "tests").rglob("*.nn"))

installed = pytest.mark.skipif(
    shutil.which("node") is None or not (HOME / "node_modules/vscode-tmgrammar-test").is_dir(),
    reason="`make editors` has not been run (it needs node and npm)",
)

# What a scope means, in one letter for the snapshots; the first that a token has counts.
LETTERS = {
    "invalid": "!",
    "comment": "#",
    "constant.character.escape": "\\",
    "string": '"',
    "constant.numeric": "1",
    "constant.language": "c",
    "keyword.operator.logical": "k",
    "keyword.operator": "+",
    "keyword": "k",
    "storage": "K",
    "entity.name.type.class": "M",
    "entity.name.type.dimension": "d",
    "support.type": "t",
    "entity.name.function.call": "F",
    "entity.name.function": "B",
    "variable.parameter.argument": "a",
    "variable.parameter": "p",
    "variable.other.property.setting": "s",
    "variable.other.property": ".",
    "variable.other.declaration": "V",
    "variable.other.constant.declaration": "V",
    "variable": "v",
    "punctuation": "-",
}

Token = tuple[int, int, int, str]  # line, start, end, letter


@cache
def tokens(*texts: str) -> list[list[Token]]:
    """The tokens of texts, one run of the engine for all. Columns are UTF-16."""
    names = {str(number): text for number, text in enumerate(texts)}
    run = subprocess.run(
        ["node", str(HOME / "test/tokens.mjs")],
        input=json.dumps(names),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    return [[(line, start, end, letter(scopes)) for line, start, end, scopes in found[name]] for name in names]


def letter(scopes: list[str]) -> str:
    """The letter of the innermost scope that has one; what is wrong, a comment or a string is so from within."""
    words = [word for scope in scopes for word in scope.split()]
    for word in reversed(words):
        for scope, sign in LETTERS.items():
            if f"{word}.".startswith(f"{scope}."):
                if sign == "-" and word.startswith(("punctuation.definition.comment", "punctuation.definition.string")):
                    break
                return sign
    return " "


@cache
def of_examples() -> dict[Path, list[Token]]:
    return dict(zip(EXAMPLES, tokens(*(path.read_text(encoding="utf-8") for path in EXAMPLES)), strict=True))


@installed
def test_every_assertion_of_the_grammar_holds() -> None:
    tool = HOME / "node_modules/vscode-tmgrammar-test/dist/unit.js"
    markdown = HOME / "node_modules/tm-grammars/grammars/markdown.json"
    command = ["node", str(tool), "--config", "package.json", "-g", str(markdown), "test/grammar/*.test.*"]
    run = subprocess.run(
        command, cwd=HOME, capture_output=True, encoding="utf-8", timeout=60, check=False, stdin=subprocess.DEVNULL
    )
    report = "\n".join(line for line in run.stdout.splitlines() if not line.startswith("grammar not found"))
    assert run.returncode == 0, report
    assert report.count("✓") == len(list((HOME / "test/grammar").glob("*.test.*"))), report


@installed
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_keeps_its_colours(path: Path, golden: Callable[[Path | str, str], None]) -> None:
    golden(f"golden/textmate/{path.stem}.txt", snapshot(path.read_text(encoding="utf-8"), of_examples()[path]))


def snapshot(text: str, found: list[Token]) -> str:
    """Each line, and below it a letter for what each character is."""
    letters: dict[int, list[str]] = {}
    for line, start, end, sign in found:
        row = letters.setdefault(line, [])
        row += " " * (end - len(row))
        row[start:end] = sign * (end - start)
    shown = []
    for number, line in enumerate(text.splitlines()):
        row = "".join(" " if space == " " else sign for space, sign in zip(line, letters.get(number, ()), strict=False))
        shown += [f"|{line}", f":{row}"] if line.strip() and not line.startswith("#") else [f"|{line}"]
    return "\n".join(shown) + "\n"


# ------------------------------------------------------------------------------- as the language's own lexer


@installed
def test_words_numbers_and_strings_are_those_of_the_lexer() -> None:
    """Every example, and every program of the tests that is wrong in some way."""
    texts = {path: path.read_text(encoding="utf-8") for path in EXAMPLES}
    texts |= {path: path.read_text(encoding="utf-8") for path in WRONG if b"\0" not in path.read_bytes()}
    differences = []
    for (path, text), found in zip(texts.items(), tokens(*texts.values()), strict=True):
        colours = dict(spread(text, found))
        for start, end, name, allowed in wanted(text):
            seen = "".join(sorted({colours.get(at, " ") for at in range(start, end)}))
            if not set(seen) <= set(allowed):
                line = text.count("\n", 0, start) + 1
                differences.append(f"{path.name}:{line}: {text[start:end]!r} is {name}, coloured {seen!r}")
    assert not differences, "\n".join(differences[:40])


def spread(text: str, found: list[Token]) -> Iterator[tuple[int, str]]:
    """The letter at each offset of the text."""
    starts, at = [], 0
    for line in text.split("\n"):
        starts.append(at)
        at += len(line) + 1
    for line, start, end, sign in found:
        for at in range(start, end):
            yield starts[line] + at, sign


def wanted(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Start, end and kind of each token of the lexer, with the letters that it may have."""
    all_tokens = lex(Reports(SourceFile("x.nn", text)))
    previous = ""
    for token, after in zip_longest(all_tokens, all_tokens[1:]):
        start, end, kind = token.start, token.end, token.type
        before, previous = previous, kind
        is_named = after is not None and after.type == "EQUAL" and after.text == text[after.start : after.end]
        if token.text != text[start:end] or not text.isascii():
            continue  # what the lexer mended is no token of the language
        if kind == "INT" or kind == "FLOAT":
            yield start, end, kind, "1"
        elif kind == "STRING":
            yield start, end, kind, '"\\!'  # an escape may be wrong
        elif kind == "NAME":
            yield start, end, kind, "cMdtFBapsVv."
        elif kind in ("ARROW", "COMPARE", "POWER", "FACTOR", "SIGN", "DOTS", "EQUAL"):
            yield start, end, kind, "+"
        elif kind in WORDS and not (is_named and before in ("LPAR", "COMMA", "WITH")):
            yield start, end, kind, "kKVBMs"  # behind another word it looks like the name that it declares
        elif kind in WORDS:
            yield start, end, kind, "akK"


WORDS = dict(re.findall(r'^([A-Z]+): "([a-z]+)"$', (ROOT / "grammar/nn.lark").read_text(), re.M))


def test_the_reserved_words_are_those_of_the_language() -> None:
    patterns = json.loads(GRAMMAR.read_text(encoding="utf-8"))["repository"]
    coloured: set[str] = set()
    for pattern in patterns["keyword"]["patterns"]:
        coloured |= set(re.findall(r"[a-z]+", pattern["match"].replace(r"\b", "")))
    assert coloured == set(WORDS.values())
    assert set(re.findall(r"[a-z]+", re.search(r"\(\?!\(\?:(.*?)\)", patterns["assigned"]["match"])[1])) == coloured


def test_the_words_that_begin_a_statement_end_what_was_left_open() -> None:
    """They are those of the layout. A section holds statements of its own, and sections do not end sections."""
    from nndsl.syntax.kinds import BODIED, NAMED

    ends = re.findall(r'"end": (".*\(\?=\^.*"),', GRAMMAR.read_text(encoding="utf-8"))
    assert len(ends) == 10
    named = {WORDS[kind] for kind in NAMED}
    for end in map(json.loads, ends):
        words = set(re.search(r"\(\?:\(\?:(.*?)\)", end)[1].split("|"))
        sections = re.search(r"\|\(\?:([a-z|]*?)\)\\s\*\\\{", end)
        if sections is None:
            assert words == named - {"source"}
        else:
            assert words == named
            assert set(sections[1].split("|")) == {WORDS[kind] for kind in BODIED}


def test_numbers_and_foreign_signs_are_those_of_the_language() -> None:
    lark = (ROOT / "grammar/nn.lark").read_text(encoding="utf-8")
    patterns = json.loads(GRAMMAR.read_text(encoding="utf-8"))["repository"]
    told = {name: re.search(rf"^{name}(?:\.-?\d)?: /(.*)/$", lark, re.M)[1] for name in ("INT", "FLOAT", "FOREIGN")}
    number = [pattern["match"].removeprefix(r"(?<!\w)") for pattern in patterns["number"]["patterns"]]
    assert number[0] == f"(?:{told['FLOAT']})"
    assert number[1] == told["INT"]
    assert patterns["foreign"]["match"].replace(r"\x{a0}", r"\u00a0") == told["FOREIGN"]


# ------------------------------------------------------------------------------------------ broken text

BREAKAGES = {
    "an open string": '    x = csv("never closed, (a',
    "an open string with single quotes": "    x = 'never closed",
    "open brackets": "    x = y -> Dense([1, (2",
    "an open type": "    input x: float[3, (",
    "an open brace": "    x = y -> repeat 3 { Dense(2)",
    "an open section": "    train { epochs = 3",
    "open parameters": "block Half(units, depth=(3",
    "closing brackets": "    x = y)]}}}",
    "an open list of options": "    output y = x with loss=mse,",
    "an open import": 'from "a.nn" import First,',
    "signs": "    x = -> => ->, = ? .. . @ ! : ;",
}


# Every sixth example, and in it every fourth line that begins with a word of the language.
PLACES = [
    (lines, head)
    for lines in (path.read_text(encoding="utf-8").splitlines() for path in EXAMPLES[::6])
    for head in [n for n, line in enumerate(lines) if re.match(r"\s*(model|block|layer|input|output)\s+\w", line)][::4]
]


@cache
def broken() -> dict[str, list[list[Token]]]:
    """The tokens with each breakage at each place; one run of the engine for all."""
    texts = ["\n".join([*lines[:at], BREAKAGES[what], *lines[at:]]) for what in BREAKAGES for lines, at in PLACES]
    found = iter(tokens(*texts))
    return {what: [next(found) for _ in PLACES] for what in BREAKAGES}


@installed
@pytest.mark.parametrize("what", BREAKAGES)
def test_broken_text_changes_no_colour_below_the_next_statement(what: str) -> None:
    assert len(PLACES) > 10
    sound = tokens(*("\n".join(lines) for lines, _ in PLACES))
    for (_, head), before, after in zip(PLACES, sound, broken()[what], strict=True):
        below = [token for token in before if token[0] >= head]
        assert [(line - 1, *rest) for line, *rest in after if line > head] == below
