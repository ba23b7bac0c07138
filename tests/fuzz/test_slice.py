"""A slice of fuzzing that runs every time: 60 seconds in all, shared out among the kinds of inputs, with fixed seeds,
so that a run tells of the change at hand. With NNDSL_FUZZ_SECONDS half of each share goes to a seed that is new on
every run; a failure prints what it takes to show it again. hypothesis drives the same grammar where an example is to
be made small.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import kinds, oracles
from tests.fuzz.grammar.programs import Unmade, made
from tests.fuzz.oracles import Finding, examine

SECONDS = float(os.environ.get("NNDSL_FUZZ_SECONDS", "60"))
LOOKS_FURTHER = "NNDSL_FUZZ_SECONDS" in os.environ
KINDS = {"mutations": 0.25, "statements": 0.2, "grammar": 0.3, "nearly": 0.15, "blocks": 0.1}
FEWEST = 5  # however slow the machine is


def some(kind: str, seed: str, seconds: float, *, thorough: float) -> tuple[int, int]:
    """Inputs of a kind for a while: how many there were, and how many of them were right."""
    count = right = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until or count < FEWEST:
        random = Random(f"{seed}:{count}")
        try:
            files, values = kinds.KINDS[kind](random)
        except Unmade as error:
            pytest.fail(f"{error}, while {kind} {seed}:{count} was made\n{_shown(error.files)}", pytrace=False)
        try:
            right += examine(files, random, settings=values, thorough=thorough).program is not None
        except Finding as error:
            again = f"python -m tests.fuzz.drive {kind} --seed {seed} --thorough {thorough} --show {count}"
            pytest.fail(f"{error}\n{again}\n{_shown(files)}", pytrace=False)
        count += 1
    return count, right


def _shown(files: kinds.Files) -> str:
    return "\n".join(f"# ---- {name}\n{text}" for name, text in files.items())


@pytest.fixture(autouse=True)
def slow_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracles, "LONGEST", 20.0)


@pytest.mark.parametrize("kind", KINDS)
def test_slice(kind: str) -> None:
    share = SECONDS * KINDS[kind]
    count, right = some(kind, "slice", share / 2 if LOOKS_FURTHER else share, thorough=0.1)
    if LOOKS_FURTHER:
        some(kind, secrets.token_hex(4), share / 2, thorough=0.1)
    if kind in ("grammar", "blocks") and count >= 20:
        assert right > count * 0.6  # else the questions to right programs would go unasked


@pytest.mark.torch
def test_right_programs_build() -> None:
    """A few of the grammar's programs in PyTorch; `python -m tests.fuzz.drive grammar --torch` builds many."""
    pytest.importorskip("torch")
    from tests.fuzz.building import build_in_torch

    built = 0
    for number in range(25):
        random = Random(f"build:{number}")
        files, values = made(random, wild=0)
        outcome = examine(files, random, settings=values, thorough=0)
        if outcome.program is not None and outcome.program.models:
            try:
                built += build_in_torch(outcome.program, random)
            except Finding as error:
                pytest.fail(f"{error}, program {number}\n{_shown(files)}", pytrace=False)
    assert built >= 15


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_small_examples(random: Random) -> None:
    """The same grammar, every choice of it hypothesis's: what fails is made small before it is shown."""
    files, values = made(random)
    examine(files, random, settings=values, thorough=0.2)


def test_the_corpus_is_there() -> None:
    """Mutations of nothing would find nothing."""
    from tests.fuzz import mutations

    assert len(mutations.corpus()) > 300 and len(mutations.lines()) > 500
    assert Path(mutations.ROOT / "examples").is_dir()
