"""What the documentation shows is what the commands say: `pytest --update` runs them and rewrites the pages."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"```console\n(.*?)```\n", re.DOTALL)


def _run(command: str) -> str:
    script = f'nndsl() {{ "{sys.executable}" -m nndsl "$@"; }}\n{command}'
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
    )
    return ran.stdout


def _renewed(block: re.Match[str]) -> str:
    commands = [line for line in block[1].splitlines() if line.startswith("$ ")]
    return "```console\n" + "".join(f"{command}\n{_run(command[2:])}" for command in commands) + "```\n"


def test_the_outputs_in_docs_cli(golden):
    page = ROOT / "docs" / "cli.md"
    text = page.read_text(encoding="utf-8")
    assert len(_BLOCK.findall(text)) >= 7
    golden(page, _BLOCK.sub(_renewed, text))


def test_the_picture_in_docs_cli(golden):
    golden(ROOT / "docs" / "inception.svg", _run("nndsl graph examples/inception.nn"))


@pytest.mark.torch
def test_the_sessions_in_docs_api(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(ROOT)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").replace("```\n", "\n")
    example = doctest.DocTestParser().get_doctest(text, {}, "api.md", "docs/api.md", 0)
    assert len(example.examples) >= 10
    shown: list[str] = []
    result = doctest.DocTestRunner(optionflags=flags).run(example, out=shown.append)
    assert result.failed == 0, "".join(shown)
