"""Wrong `data` sections, each with the message as text: review these files as prose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.render import render_text
from nndsl.source import SourceFile

FOLDER = Path(__file__).parent.parent / "cases" / "data"
CASES = sorted(FOLDER.glob("*.nn"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_message(case: Path, golden: Callable[[Path, str], None]) -> None:
    problems = Problems()
    program = pipeline.check(SourceFile(case.name, case.read_text(encoding="utf-8")), problems)
    assert len(problems), "a wrong section must be reported"
    assert (program is None) == problems.has_errors
    golden(case.with_suffix(".out"), render_text(problems))


def test_corpus_is_large() -> None:
    assert len(CASES) >= 40
