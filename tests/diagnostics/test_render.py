"""Every form of output against its golden file; `golden/NAME.text` and so on, one for each sample."""

from __future__ import annotations

import io
import json
import re
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.render import FORMATS, render_text, summary
from nndsl.diagnostics.terminal import want_color
from nndsl.source import SourceFile, Span
from tests.diagnostics.samples import SAMPLES

Golden = Callable[[Path | str, str], None]
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("name", SAMPLES)
def test_text(name: str, golden: Golden) -> None:
    golden(f"golden/{name}.text", render_text(SAMPLES[name](), width=100))


@pytest.mark.parametrize("name", ["unknown_argument", "several", "two_files", "hostile", "several_lines", "fixes"])
@pytest.mark.parametrize("form", ["concise", "json", "github", "sarif"])
def test_other_forms(name: str, form: str, golden: Golden) -> None:
    text = FORMATS[form](SAMPLES[name]())
    text = re.sub(r',\s*"version": "\d+\.\d+\.\d+[^"]*"(?=\s*})', "", text)  # nndsl's own, where it is installed
    golden(f"golden/{name}.{form}", text)


def test_color(golden: Golden) -> None:
    problems = SAMPLES["fixes"]()
    colored = render_text(problems, color=True, width=100)
    golden("golden/fixes.color", colored)
    assert _ESCAPES.sub("", colored) == render_text(problems, width=100)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("form", FORMATS)
def test_nothing_that_steers_a_terminal_gets_out(name: str, form: str) -> None:
    text = FORMATS[form](SAMPLES[name]())
    odd = {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs")} - {"\n"}
    assert not odd
    text.encode("utf-8")


@pytest.mark.parametrize("form", FORMATS)
def test_no_problems(form: str) -> None:
    text = FORMATS[form](Problems())
    if form in ("json", "sarif"):
        assert not (json.loads(text) or []) or json.loads(text)["runs"][0]["results"] == []
    else:
        assert text == ""


def test_summary() -> None:
    assert summary(SAMPLES["several"]()) == "2 errors, 1 warning"
    assert summary(SAMPLES["unknown_argument"]()) == "1 error"
    assert summary(SAMPLES["fixes"]()) == "2 errors, 2 warnings"
    assert summary([]) == "no problems"


def test_json_places_are_places_of_the_text() -> None:
    for make in SAMPLES.values():
        problems = make()
        for shown, problem in zip(json.loads(FORMATS["json"](problems)), problems, strict=True):
            lines = problem.primary.span.file.text.split("\n")
            offset = sum(len(line) + 1 for line in lines[: shown["line"] - 1]) + shown["column"] - 1
            assert offset == shown["offset"]["start"] == problem.primary.span.start
            offset = sum(len(line) + 1 for line in lines[: shown["end_line"] - 1]) + shown["end_column"] - 1
            assert offset == shown["offset"]["end"] == problem.primary.span.end


def test_sarif_fixes_and_rules() -> None:
    run = json.loads(FORMATS["sarif"](SAMPLES["unknown_argument"]()))["runs"][0]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "NN0203"
    assert rule["shortDescription"]["text"] == "unknown argument"
    assert rule["helpUri"] == "docs/errors/NN0203.md"
    assert (Path(__file__).parents[2] / rule["helpUri"]).is_file()
    (result,) = run["results"]
    (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacement["insertedContent"]["text"] == "units"
    assert replacement["deletedRegion"] == result["locations"][0]["physicalLocation"]["region"]


def _cells(line: str) -> list[str]:
    """A character for each cell of a terminal."""
    return [char for char in line for _ in range(_width(char))]


def _width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me") or 0x1160 <= ord(char) <= 0x11FF:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


_LINE = st.text(st.characters(exclude_characters="\n\r"), max_size=80)


@given(before=_LINE, marked=st.text("abcü日", min_size=1, max_size=12), after=_LINE, width=st.integers(50, 160))
def test_the_underline_is_under_its_text(before: str, marked: str, after: str, width: int) -> None:
    file = SourceFile("f.nn", f"{before}{marked}{after}")
    problems = Problems()
    problems.error("NN0101", "m", Span(file, len(before), len(before) + len(marked)))
    source, underline = render_text(problems, width=width).split("\n")[3:5]
    start, end = underline.index("^"), underline.rindex("^") + 1
    assert set(underline[start:end]) == {"^"}
    assert _cells(source)[start:end] == _cells(marked)
    assert len(_cells(source)) <= width


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "terminal", "choice", "wanted"),
    [
        ({}, True, "auto", True),
        ({}, False, "auto", False),
        ({"TERM": "dumb"}, True, "auto", False),
        ({"NO_COLOR": "1"}, True, "auto", False),
        ({"NO_COLOR": ""}, True, "auto", True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, "auto", False),
        ({"FORCE_COLOR": "1"}, False, "auto", True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False, "auto", True),
        ({"FORCE_COLOR": "0"}, True, "auto", False),
        ({"NO_COLOR": "1"}, False, "always", True),
        ({"FORCE_COLOR": "1"}, True, "never", False),
    ],
)
def test_want_color(
    environ: dict[str, str], terminal: bool, choice: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert want_color(_Terminal() if terminal else io.StringIO(), choice) is wanted


@given(text=st.text(max_size=120), data=st.data())
def test_any_places_of_any_text_are_rendered(text: str, data: st.DataObject) -> None:
    file = SourceFile("f.nn", text)
    place = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    spans = [Span(file, start, end) for start, end in data.draw(st.lists(place, min_size=1, max_size=5))]
    fix = Fix("fix", tuple(Edit(span, "new\ntext") for span in spans))
    problems = Problems()
    related = tuple(Label(span, f"<{i}>") for i, span in enumerate(spans[1:]))
    problems.error("NN0101", "m", spans[0], "<primary>", related=related, fixes=(fix,))
    for form in FORMATS.values():
        form(problems).encode("utf-8")
    shown = render_text(problems, width=60)
    assert all(label in shown for label in ("<primary", *(f"<{i}" for i in range(len(related)))))


def test_many_problems_on_one_long_line_take_little_time() -> None:
    file = SourceFile("f.nn", "x -> Dense(1); " * 20_000)
    problems = Problems()
    for i in range(300):
        problems.error("NN0203", "m", Span(file, 1000 * i, 1000 * i + 5), "here")
    start = time.process_time()
    render_text(problems)
    assert time.process_time() - start < 3
