"""Every example: no problem found, the text of both programs as reviewed, fit for a linter, and standing on its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.render import render_text
from nndsl.ir.graph import CheckedProgram
from nndsl.source import SourceFile

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.nn"))
GOLDEN = Path(__file__).parent / "golden"
ALLOWED = {"torch": {"torch", "numpy"}, "keras": {"tensorflow", "numpy"}}


@cache
def program(name: str) -> CheckedProgram:
    path = ROOT / "examples" / f"{name}.nn"
    problems = Problems()
    found = pipeline.check(SourceFile(path.name, path.read_text(encoding="utf-8")), problems)
    assert not problems.items, render_text(problems)
    assert found is not None
    return found


@pytest.mark.parametrize("target", pipeline.TARGETS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_text(name: str, target: str, golden: Callable[[Path | str, str], None]) -> None:
    golden(f"golden/{name}_{target}.py", pipeline.emit(program(name), target))


@pytest.mark.parametrize("target", pipeline.TARGETS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_imports_nothing_else(name: str, target: str) -> None:
    """An emitted program needs its framework, numpy and the standard library: not nndsl."""
    tree = ast.parse(pipeline.emit(program(name), target))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    assert found - set(sys.stdlib_module_names) <= ALLOWED[target]


def test_same_text_every_time() -> None:
    """The text depends on the source alone: not on hashes, folders or what was compiled before."""
    script = (
        "import sys, pathlib, nndsl\n"
        f"text = pathlib.Path({str(ROOT / 'examples' / 'profile.nn')!r}).read_text()\n"
        "sys.stdout.write(nndsl.compile(text, target='torch') + nndsl.compile(text, target='keras'))\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1 and next(iter(texts))


def test_ruff() -> None:
    for command in (
        ["check", "--isolated"],
        ["check", "--isolated", "--select", "E4,E7,E9,F,I,UP,B"],
        ["format", "--isolated", "--check"],
    ):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, str(GOLDEN)], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr


def test_mypy(well_typed: Callable[[Iterable[Path]], None]) -> None:
    well_typed(GOLDEN.glob("*_torch.py"))
