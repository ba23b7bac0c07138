"""What the documentation shows is what the commands say: `pytest --update` runs them and rewrites the pages."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nndsl
from nndsl.passes.train_section import SETTINGS

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


@pytest.mark.torch
def test_the_outputs_in_docs_data(golden):
    pytest.importorskip("numpy")
    page = ROOT / "docs" / "data.md"
    text = page.read_text(encoding="utf-8")
    assert len(_BLOCK.findall(text)) >= 2
    golden(page, _BLOCK.sub(_renewed, text))


def test_the_outputs_in_the_readme(golden):
    page = ROOT / "README.md"
    text = page.read_text(encoding="utf-8")
    assert _BLOCK.search(text)
    golden(page, _BLOCK.sub(_renewed, text))


def test_the_programs_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    parts = text.split("```nn\n")[1:]
    assert len(parts) == 2
    for part in parts:
        source = part.partition("```\n")[0]
        programs = [nndsl.compile(source, target=target) for target in ("torch", "keras")]
        shown = re.findall(r"```python\n(.*?)```\n", part, re.DOTALL)
        assert len(shown) == 2
        for code in shown:
            assert any(code in program for program in programs), code


@pytest.mark.parametrize("model", ["inception", "question_answering"])
def test_the_pictures(golden, model):
    golden(ROOT / "docs" / f"{model}.svg", _run(f"nndsl graph examples/{model}.nn"))


@pytest.mark.parametrize("page", ["README.md", "docs/language.md", "docs/training.md", "docs/data.md"])
@pytest.mark.parametrize("target", ["torch", "keras"])
def test_the_models_in_the_pages_compile(page, target):
    models = re.findall(r"```nn\n(.*?)```\n", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert models
    for model in models:
        compile(nndsl.compile(model, target=target), page, "exec")


def test_docs_run_shows_a_file_as_it_is():
    page = (ROOT / "docs" / "run.md").read_text(encoding="utf-8")
    found = re.findall(r"```json\n(.*?)```\n", page, re.DOTALL)
    assert found == [(ROOT / "tests" / "cli" / "runs" / "digits-2" / "metrics.json").read_text(encoding="utf-8")]


def test_docs_training_names_every_setting():
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == set(SETTINGS)


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
