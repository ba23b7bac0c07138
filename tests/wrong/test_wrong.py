"""Wrong programs and what is said of them: `cases/<code>_<what>.nn`, or a folder of that name with a `main.nn` and what
it imports, with the text beside it, which is read as prose."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.cli.main import main as run_command
from nndsl.diagnostics import codes
from nndsl.diagnostics.model import Diagnostic, Edit, Problems, Severity
from nndsl.diagnostics.render import render_concise, render_text
from nndsl.project import Project
from nndsl.source import SourceFile

ROOT = Path(__file__).parent / "cases"
# Where the problem is the statement as a whole, or the whole file.
WHOLE = {"NN0213_nothing_kept", "NN0219_in_a_section", "NN0220_empty"}
CODES = [entry for entry in codes.all_codes() if entry.is_checked]


@dataclass(frozen=True)
class Case:
    """A wrong program: one file, or the `main.nn` of a folder that it imports from. A first line `# --set classes=3`
    says how the command is called."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.parent.name if self.path.name == "main.nn" else self.path.stem

    @property
    def golden(self) -> Path:
        return ROOT / f"{self.name}.out"

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def options(self) -> list[str]:
        first = self.text.partition("\n")[0]
        return shlex.split(first.removeprefix("# ")) if first.startswith("# --set ") else []

    def check(self, text: str | None = None) -> list[Diagnostic]:
        """The problems of the program, or of another text in its place."""
        problems = Problems()
        name = str(self.path.relative_to(ROOT))
        source = SourceFile(name, self.text if text is None else text)
        settings = dict(option.split("=", 1) for option in self.options if option != "--set")
        pipeline.check(source, problems, Project(source).read, settings)
        return problems.sorted()


CASES = [Case(path) for path in sorted([*ROOT.glob("*.nn"), *ROOT.glob("*/main.nn")])]
NAMES = [case.name for case in CASES]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in messages start at the folder of the cases."""
    monkeypatch.chdir(ROOT)


def check(text: str, name: str = "model.nn") -> list[Diagnostic]:
    problems = Problems()
    pipeline.check(SourceFile(name, text), problems)
    return problems.sorted()


def applied(text: str, problems: list[Diagnostic]) -> str:
    """The text after the first fix of every problem that has one in it."""
    edits = sorted({_key(edit) for problem in problems for edit in (problem.fixes[0].edits if problem.fixes else ())})
    for start, end, new in reversed(edits):
        text = text[:start] + new + text[end:]
    return text


def _key(edit: Edit) -> tuple[int, int, str]:
    return edit.span.start, edit.span.end, edit.text


def is_elsewhere(problem: Diagnostic, case: Case) -> bool:
    """Whether what mends a problem stands in an imported file, or on the command line."""
    name = str(case.path.relative_to(ROOT))
    return any(edit.span.file.name != name for fix in problem.fixes[:1] for edit in fix.edits)


def test_there_are_enough() -> None:
    assert len(CASES) >= 360
    assert {case.golden.name for case in CASES} == {path.name for path in ROOT.glob("*.out")}


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_message(case: Case, golden: Callable[[Path | str, str], None]) -> None:
    golden(case.golden, render_text(case.check()).replace(str(ROOT), "/home/cases"))


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_every_problem_helps(case: Case) -> None:
    problems = case.check()
    assert case.name[:6] in {problem.code for problem in problems}
    files = {problem.primary.span.file for problem in problems}
    statements = {line.strip() for file in files for line in file.text.splitlines()}
    for problem in problems:
        assert problem.help or problem.fixes, f"{problem.code} says what is wrong and not what to do"
        assert not problem.message.endswith("."), problem.message
        entry = codes.find(problem.code)
        assert entry is not None and entry.severity is problem.severity
        if case.name not in WHOLE and not problem.code.startswith("NN01"):
            span = problem.primary.span
            assert "\n" not in span.text, problem.message
            assert span.text.strip() not in statements or span.text.startswith(("param ", "block ")), problem.message
    names = "|".join(re.escape(file.name) for file in files)
    for line in render_concise(problems).splitlines():
        assert re.match(rf"({names}):\d+:\d+: (error|warning)\[NN\d{{4}}\]: .", line)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_fixes_remove_what_they_fix(case: Case) -> None:
    problems = case.check()
    fixed = [problem for problem in problems if problem.fixes and not is_elsewhere(problem, case)]
    if not fixed:
        return
    after = case.check(applied(case.text, fixed))
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
    for case in CASES if command == ["check"] else CASES[::6]:  # every command reads and checks in the same way
        out = tmp_path / f"{case.name}.py"
        arguments = [*command, str(case.path), *case.options, *([] if command == ["check"] else ["-o", str(out)])]
        errors = [item for item in case.check() if item.severity is Severity.ERROR]
        assert run_command(arguments) == (1 if errors else 0), case.name
        assert out.exists() == (command != ["check"] and not errors), case.name
        if not errors:
            assert run_command([*arguments, "--deny-warnings"]) == 1, case.name
        shown = capsys.readouterr()
        assert case.name[:6] in shown.out + shown.err
        assert "Traceback" not in shown.out + shown.err


@pytest.mark.parametrize("case", CASES[:: len(CASES) // 3], ids=NAMES[:: len(CASES) // 3])
def test_whole_process(case: Case, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nndsl", "check", str(case.path), *case.options, "--deny-warnings"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert result.returncode == 1
    assert case.name[:6] in result.stdout
    assert result.stderr == ""
    assert not list(tmp_path.iterdir())
