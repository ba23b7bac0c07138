"""What `nndsl fmt` makes of texts: `cases/NAME.nn`, and beside it `NAME.out`, which is read as the style."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nndsl.diagnostics.model import Problems
from nndsl.formatting import format_text
from nndsl.source import SourceFile

CASES = sorted((Path(__file__).parent / "cases").glob("*.nn"))


def formatted(text: str, line_length: int = 100) -> str:
    problems = Problems()
    result = format_text(SourceFile("case.nn", text), problems, line_length)
    assert result is not None, [item.message for item in problems]
    return result


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_style(path: Path, golden: Callable[[Path | str, str], None]) -> None:
    text = formatted(path.read_bytes().decode("utf-8"))
    golden(path.with_suffix(".out"), text)
    assert formatted(text) == text


@pytest.mark.parametrize("line_length", [40, 72, 200])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_line_length(path: Path, line_length: int) -> None:
    text = formatted(path.read_bytes().decode("utf-8"), line_length)
    assert formatted(text, line_length) == text


def test_lines_are_broken_where_they_can_be() -> None:
    text = formatted("model M {\n    a = x" + " -> Dense(100, activation=relu)" * 9 + "\n}\n", 60)
    assert max(map(len, text.split("\n"))) <= 60 and text.count("\n") == 12


def test_line_ends_of_windows_and_a_byte_order_mark() -> None:
    text = "\ufeffmodel A {\r\n\r\n  input x : float[ 4 ]   # rows  \r\n\toutput y=x\r\n\r\n\r\n}"
    assert formatted(text) == "model A {\n    input x: float[4]  # rows\n    output y = x\n}\n"


def test_a_text_that_does_not_parse_says_why() -> None:
    problems = Problems()
    assert format_text(SourceFile("case.nn", "model M { input }"), problems) is None
    assert problems.has_errors


@pytest.mark.parametrize("text", ["", "\n\n", "   ", "\ufeff", "\r\n"])
def test_nothing_is_nothing(text: str) -> None:
    assert formatted(text) == ""


def test_a_file_that_would_grow_too_large() -> None:
    problems = Problems()
    arms = "branch { Dense(1) -> " * 90 + "Relu()" + " }" * 90
    text = "model A {\n" + f"    x = y -> {arms}\n" * 20 + "}\n"
    assert format_text(SourceFile("case.nn", text), problems) is None
    assert [item.code for item in problems] == ["NN0180"]


@pytest.mark.parametrize("opener, closer", ["()", "[]", ("f(aaaaaaaaaa, ", ")"), ("(1,  # c\n", ")")])
def test_the_deepest_nesting(opener: str, closer: str) -> None:
    text = formatted(f"param x = {opener * 99}1{closer * 99}\n")
    assert formatted(text) == text
