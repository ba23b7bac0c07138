"""Text of the user in pictures, messages and tables: structures are those of harmless twins, terminals get no control
characters but those that nndsl emits."""

from __future__ import annotations

import json
import re
import unicodedata
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from nndsl import pipeline
from nndsl.diagnostics import render
from nndsl.diagnostics.model import Problems
from nndsl.formatting import format_text
from nndsl.ide.markdown import block, inline, prose
from nndsl.runtime.reports.html import Page, html
from nndsl.source import SourceFile
from nndsl.views import graph
from nndsl.views.svg import svg
from tests.attacks.payloads import STRINGS, quoted

TWIN = "harmless"
DRAWN = (
    "model M {{\n input x: float[8]\n h = x -> Dense(8) -> EinsumDense({text}, 4)\n"
    " output y = x -> Dense(2, activation=softmax)\n"
    " with loss=categorical_crossentropy, metrics=[AUC(name={text})]\n}}\n"
)
WRONG = "model M {{\n input x: float[8] # {raw}\n output y = x -> Dense({text}, unit={text}) -> Nothing({text})\n}}\n"

SOME = [pytest.param(name, marks=() if at % 4 == 0 else pytest.mark.slow) for at, name in enumerate(STRINGS)]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(sorted(name for name, _ in attrs))))


def tags(text: str) -> list[tuple[str, tuple[str, ...]]]:
    parser = Tags()
    parser.feed(text)
    return parser.found


def elements(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.tag, tuple(sorted(item.attrib))) for item in ElementTree.fromstring(text).iter()]


def drawing(text: str) -> graph.Drawing:
    """Boxes and arrows whose labels are any text: more than a checked model could hold."""
    boxes = tuple(graph.Box(kind, (text, text, "float[8]")) for kind in ("input", "layer", "shared", "output"))
    return graph.Drawing(text, boxes, (graph.Arrow(0, 1, text), graph.Arrow(1, 2), graph.Arrow(2, 3, text)))


def plain(text: str) -> None:
    """Nothing that steers a terminal, apart from colours of ours and line ends."""
    rest = re.sub(r"\x1b\[[0-9;]*m", "", text) if "\x1b[" in text else text
    odd = {char for char in rest if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert not odd, odd


@pytest.mark.parametrize("name", [name for name in STRINGS if name != "empty"])
def test_pictures(name: str) -> None:
    text, twin = drawing(STRINGS[name]), drawing(TWIN)
    assert elements(svg(text)) == elements(svg(twin))
    lines = graph.mermaid(text).split("\n")
    label = r"[\w _.,=()\[\]:\-+/?…]|#\d+;"
    for line in lines[1:-1]:
        rest = re.sub(rf'"(?:<br/>|{label})*"', '""', line)
        assert re.fullmatch(r'    n\d+(?:\(\[""\]\)|\[""\]|\[\[""\]\]| -->(?:\|""\|)? n\d+)', rest), line
    assert len(lines) == len(graph.mermaid(twin).split("\n"))
    strings = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
    assert strings.sub('""', graph.dot(text)) == strings.sub('""', graph.dot(twin))


@pytest.mark.parametrize("name", SOME)
def test_messages(name: str) -> None:
    raw = " ".join(STRINGS[name].splitlines())
    source = SourceFile(f"{STRINGS[name]}.nn", WRONG.format(text=quoted(STRINGS[name]), raw=raw))
    problems, twins = Problems(), Problems()
    assert pipeline.check(source, problems) is None
    assert pipeline.check(SourceFile("m.nn", WRONG.format(text=quoted(TWIN), raw=TWIN)), twins) is None
    for form in ("text", "concise"):
        plain(render.FORMATS[form](problems, color=False, width=100))
        colored = render.FORMATS[form](problems, color=True, width=100)
        assert set(re.findall(r"\x1b[^m]*m", colored)) <= {f"\x1b[{c}m" for c in _COLORS}
        plain(colored)
    for form in ("json", "sarif"):
        found = json.loads(render.FORMATS[form](problems, color=False, width=None))
        assert isinstance(found, dict | list)
    github = render.FORMATS["github"](problems, color=False, width=None).rstrip("\n").split("\n")
    assert all(re.match(r"::(error|warning) title=NN\d{4},file=[^,:]*,line=\d+,", line) for line in github)
    plain("\n".join(github))


_COLORS = ("0", "1;31", "1;33", "1", "1;34", "32", "31")


@pytest.mark.parametrize("name", [name for name in STRINGS if name != "empty"])
def test_pages(name: str) -> None:
    def page(text: str) -> str:
        summary: dict[str, Any] = {
            "status": text, "reason": text, "begun": text, "model": text, "program": text, "device": text, "data": text,
            "command": [text], "arguments": [text], "set": {text: text}, "seed": 1, "optimizer": text,
        }  # fmt: skip
        return html(Page(text, text, [{"epoch": 1, f"{text}_loss": 0.5}], summary, notes=[text, text]))

    assert tags(page(STRINGS[name])) == tags(page(TWIN))


@pytest.mark.parametrize("name", STRINGS)
def test_markdown_of_editors(name: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    parser = markdown_it.MarkdownIt("gfm-like", {"linkify": False})
    text = STRINGS[name]
    if text.strip():
        kinds = {token.type for token in parser.parse(prose(text))}
        assert kinds <= {"paragraph_open", "inline", "paragraph_close"}, kinds
        inside = {c.type for token in parser.parse(prose(text)) for c in token.children or ()}
        assert inside <= {"text", "text_special", "softbreak"}, inside
        code = {c.type for token in parser.parse(f"a {inline(text)} b") for c in token.children or ()}
        assert code <= {"text", "code_inline"}, code
    assert [token.type for token in parser.parse(block(text))] == ["fence"]


@pytest.mark.parametrize("name", STRINGS)
def test_formatting(name: str) -> None:
    """Strings and comments are what they were: the formatter never changes a meaning."""
    raw = " ".join(STRINGS[name].splitlines())
    metric = f"AUC(name={quoted(raw)})"
    given = f"# {raw}\nmodel   M {{ input x:float[8]; output y = x->Dense(2) with loss=mse,metrics=[{metric}] }}\n"
    problems = Problems()
    text = format_text(SourceFile("m.nn", given), problems)
    if text is not None:
        assert format_text(SourceFile("m.nn", text), Problems()) == text
        assert quoted(raw) in text or quoted(raw, "'") in text or '"' in raw or "'" in raw
