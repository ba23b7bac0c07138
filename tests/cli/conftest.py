"""`nndsl(…)` runs the command in this process, `process(…)` in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nndsl.cli.main import main

ROOT = Path(__file__).parents[2]


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def nndsl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Ran:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def process() -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
        command = [sys.executable, "-m", "nndsl", *map(str, arguments)]
        options = {"capture_output": True, "text": True, "timeout": 60, "encoding": "utf-8", **options}
        return subprocess.run(command, env=environment, **options)

    return run


@pytest.fixture
def example() -> Callable[[str], Path]:
    return lambda name: ROOT / "examples" / f"{name}.nn"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small file without problems."""
    file = tmp_path / "model.nn"
    file.write_text(
        "model Small {\n    input x: float[4]\n    output y = x -> Dense(2) with loss=mse\n}\n", encoding="utf-8"
    )
    return file


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A small file with one error."""
    file = tmp_path / "wrong.nn"
    file.write_text(
        "model Small {\n    input x: float[4]\n    output y = x -> Dense(unit=2) with loss=mse\n}\n", encoding="utf-8"
    )
    return file
