"""The Pygments lexer: nothing of a text is lost, every construct has its types, and broken text is text."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.token import Error, Keyword, Name

from nndsl.diagnostics.model import Problems
from nndsl.pygments_lexer import NndslLexer
from nndsl.source import SourceFile
from nndsl.syntax.kinds import HEADS
from nndsl.syntax.parser import parse
from nndsl.syntax.tables import load_tables

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("*.nn"))
WRONG = sorted((ROOT / "tests" / "wrong" / "cases").rglob("*.nn"))
CONSTRUCTS = Path(__file__).parent / "constructs.nn"


def tokens_of(text: str) -> list[tuple[Any, str]]:
    return list(NndslLexer(stripnl=False, ensurenl=False).get_tokens(text))


@pytest.mark.parametrize("path", [*EXAMPLES, CONSTRUCTS], ids=lambda path: path.stem)
def test_every_example_is_its_tokens_and_none_is_an_error(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = tokens_of(text)
    assert "".join(part for _, part in found) == text
    assert [part for kind, part in found if kind in Error] == []


def test_the_constructs_are_of_the_language() -> None:
    problems = Problems()
    parse(SourceFile("constructs.nn", CONSTRUCTS.read_text(encoding="utf-8")), problems)
    assert list(problems) == []


def test_the_types_of_every_construct(golden: Any) -> None:
    found = tokens_of(CONSTRUCTS.read_text(encoding="utf-8"))
    lines = [f"{str(kind).removeprefix('Token.'):22} {part}" for kind, part in found if part.strip()]
    golden("golden/constructs.pygments", "\n".join(lines) + "\n")


def test_every_reserved_word_is_one_in_its_place_and_an_argument_name_before_an_equal_sign() -> None:
    words = load_tables().words
    assert len(words) == 27 and set(HEADS) <= set(words.values())
    for word in words:
        assert next(kind for kind, part in tokens_of(f"{word} x") if part == word) not in Name, word
        named = {part: kind for kind, part in tokens_of(f"y = x -> Layer({word}=1)")}
        assert named[word] is Name.Attribute, word
    assert {part: kind for kind, part in tokens_of("x = none")}["none"] is Keyword.Constant


def test_broken_text_is_lexed_to_its_end() -> None:
    text = "model A {\n    x = 'open\n    y => Dense(3x4, é) ≤ $ \x0b\u2028 }\nmodel B { input x: float[2] }\n"
    found = tokens_of(text)
    assert "".join(part for _, part in found) == text
    assert {"'open", "=>", "3x4", "é", "≤", "$"} <= {part for kind, part in found if kind in Error}
    assert (Name.Class, "B") in found, "what follows is as it was"


def test_any_text_is_lexed_whole() -> None:
    rng = random.Random(7)
    pieces = [path.read_text(encoding="utf-8") for path in [*EXAMPLES[:4], *WRONG[:40]]]
    for _ in range(200):
        text = rng.choice(pieces)
        at, length = rng.randrange(len(text)), rng.randrange(40)
        text = (
            text[:at]
            + "".join(rng.choice("{}()[]\"'#\\\u1680\ufeff\x00é→=->;,.1e ") for _ in range(5))
            + text[at + length :]
        )
        assert "".join(
            part for _, part in NndslLexer(stripnl=False, ensurenl=False).get_tokens(text)
        ) == text.removeprefix("\ufeff")


def test_html_shows_what_stands_there() -> None:
    html = highlight('x = y -> Layer(name="<script>&")\n', NndslLexer(), HtmlFormatter())
    assert "&lt;script&gt;&amp;" in html and "<script>" not in html


def test_a_guess_tells_nn_text_from_python() -> None:
    guess = NndslLexer.analyse_text
    assert all(guess(path.read_text(encoding="utf-8")) >= 0.3 for path in EXAMPLES)
    assert guess("class Model:\n    def f(self) -> int:\n        return 1\n") == 0


def test_pygments_finds_the_class_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["entry-points"]["pygments.lexers"]["nndsl"].partition(":")
    assert (module, name) == (NndslLexer.__module__, NndslLexer.__name__)
