"""The structure of emitted programs: what becomes of blocks and repeats in both targets, as reviewed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from nndsl import pipeline
from tests.composition.test_meaning import program

GOLDEN = Path(__file__).parent / "golden"
SHOWN = (
    "blocks_of_blocks",  # a class for each structure, blocks within blocks
    "layers_as_arguments",  # the layers that are passed
    "own_layers",  # subclasses
    "penalties",  # a penalty of a block
    "recursion",  # a class for each level
    "repeats",  # Sequential, loops
    "several_outputs",  # tuples
    "shared_blocks",  # one module, several calls
    "submodels",  # methods that cut between blocks
)


@pytest.mark.parametrize("target", pipeline.TARGETS)
@pytest.mark.parametrize("name", SHOWN)
def test_text(name: str, target: str, golden: Callable[[Path | str, str], None]) -> None:
    text = pipeline.emit(program(name), target)
    golden(GOLDEN / f"{name}_{target}.py", text)


def test_ruff() -> None:
    for command in (["check", "--isolated", "--select", "E4,E7,E9,F,I,UP,B"], ["format", "--isolated", "--check"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, str(GOLDEN)], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr


def test_mypy(well_typed: Callable[[Iterable[Path]], None]) -> None:
    well_typed(GOLDEN.glob("*_torch.py"))
