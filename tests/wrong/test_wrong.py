"""Wrong programs and what is said of them: `cases/<code>_<what>.nn` with the text beside it, which is read as prose."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.cli.main import main as run_command
from nndsl.diagnostics import codes
from nndsl.diagnostics.model import Diagnostic, Edit, Problems, Severity
from nndsl.diagnostics.render import render_concise, render_text
from nndsl.source import SourceFile

CASES = sorted((Path(__file__).parent / "cases").glob("*.nn"))
# Where the problem is the statement as a whole, or the whole file.
WHOLE = {"NN0213_nothing_kept", "NN0219_in_a_section", "NN0220_empty"}
CODES = [entry for entry in codes.all_codes() if entry.is_checked]


def check(text: str, name: str = "model.nn") -> list[Diagnostic]:
    problems = Problems()
    pipeline.check(SourceFile(name, text), problems)
    return problems.sorted()


def applied(text: str, problems: list[Diagnostic]) -> str:
    """The text after the first fix of every problem that has one."""
    edits = sorted({_key(edit) for problem in problems for edit in (problem.fixes[0].edits if problem.fixes else ())})
    for start, end, new in reversed(edits):
        text = text[:start] + new + text[end:]
    return text


def _key(edit: Edit) -> tuple[int, int, str]:
    return edit.span.start, edit.span.end, edit.text


def test_there_are_enough() -> None:
    assert len(CASES) >= 100
    assert {path.name for path in CASES} == {path.with_suffix(".nn").name for path in CASES[0].parent.glob("*.out")}


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_message(path: Path, golden: Callable[[Path | str, str], None]) -> None:
    golden(path.with_suffix(".out"), render_text(check(path.read_text(encoding="utf-8"), path.name)))


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_every_problem_helps(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    problems = check(text, path.name)
    assert path.stem[:6] in {problem.code for problem in problems}
    statements = {line.strip() for line in text.splitlines()}
    for problem in problems:
        assert problem.help or problem.fixes, f"{problem.code} says what is wrong and not what to do"
        assert not problem.message.endswith("."), problem.message
        entry = codes.find(problem.code)
        assert entry is not None and entry.severity is problem.severity
        if path.stem not in WHOLE and not problem.code.startswith("NN01"):
            span = problem.primary.span
            assert "\n" not in span.text, problem.message
            assert span.text.strip() not in statements or span.text.startswith(("param ", "block ")), problem.message
    for line in render_concise(problems).splitlines():
        assert re.match(rf"{re.escape(path.name)}:\d+:\d+: (error|warning)\[NN\d{{4}}\]: .", line)


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_fixes_remove_what_they_fix(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    problems = check(text, path.name)
    fixed = [problem for problem in problems if problem.fixes]
    if not fixed:
        return
    after = check(applied(text, problems))
    for problem in fixed:
        assert (problem.code, problem.message) not in {(other.code, other.message) for other in after}
    if len(fixed) == len(problems):  # nothing new turns up behind the mistakes
        assert not [other.message for other in after if other.code.startswith("NN01")]


@pytest.mark.parametrize("entry", CODES, ids=[entry.code for entry in CODES])
def test_examples_of_the_explanations(entry: codes.Code) -> None:
    wrong = check(entry.wrong)
    assert entry.code in {problem.code for problem in wrong}
    if entry.severity is Severity.ERROR:
        assert {problem.code for problem in wrong if problem.severity is Severity.ERROR} == {entry.code}
    else:
        assert {problem.code for problem in wrong} == {entry.code}
    assert not check(entry.right)


@pytest.mark.parametrize("command", [["check"], ["compile", "--target", "torch"], ["compile", "--target", "keras"]])
def test_command_line(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 where there is an error, nothing written, no traceback; warnings alone are fine unless denied."""
    for path in CASES:
        out = tmp_path / f"{path.stem}.py"
        arguments = [*command, str(path), *([] if command == ["check"] else ["-o", str(out)])]
        errors = [item for item in check(path.read_text(encoding="utf-8")) if item.severity is Severity.ERROR]
        assert run_command(arguments) == (1 if errors else 0), path.stem
        assert out.exists() == (command != ["check"] and not errors), path.stem
        if not errors:
            assert run_command([*arguments, "--deny-warnings"]) == 1, path.stem
        shown = capsys.readouterr()
        assert path.stem[:6] in shown.out + shown.err
        assert "Traceback" not in shown.out + shown.err


@pytest.mark.parametrize("path", CASES[:: len(CASES) // 3], ids=[path.stem for path in CASES[:: len(CASES) // 3]])
def test_whole_process(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nndsl", "check", str(path), "--deny-warnings"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert result.returncode == 1
    assert path.stem[:6] in result.stdout
    assert result.stderr == ""
    assert not list(tmp_path.iterdir())
