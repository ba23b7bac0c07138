"""Random programs, right and wrong, through the whole compiler."""

from __future__ import annotations

import ast
from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nndsl import pipeline
from tests.property.programs import check, mutated, program

QUICK = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
SEEDS = st.integers(0, 2**40)


def emitted(seed: int) -> bool:
    """Checks and emits one program; whether it was a right one."""
    text = program(Random(seed))
    checked, _ = check(text)
    if checked is None:
        return False
    for target in pipeline.TARGETS:
        try:
            code = pipeline.emit(checked, target)
            ast.parse(code)
        except Exception as error:
            raise AssertionError(f"{target}: {error!r} of\n{text}") from error
        again, _ = check(text)
        assert again is not None
        assert pipeline.emit(again, target) == code, text
    return True


def broken(seed: int) -> None:
    """A program with mistakes is never worse than wrong."""
    random = Random(seed)
    text = program(random, 4, steer=False)
    for _ in range(6):
        try:
            check(text)
        except Exception as error:
            raise AssertionError(f"{error!r} of\n{text}") from error
        text = mutated(text, random)


@QUICK
@given(SEEDS)
def test_right_programs(seed: int) -> None:
    emitted(seed)


def test_most_are_right() -> None:
    """Else the test above would test nothing."""
    found = Counter(check(program(Random(seed)))[0] is not None for seed in range(40))
    assert found[True] >= 25


@QUICK
@given(SEEDS)
def test_wrong_programs(seed: int) -> None:
    broken(seed)


@pytest.mark.slow
@LONG
@given(SEEDS)
def test_many_right_programs(seed: int) -> None:
    emitted(seed)


@pytest.mark.slow
@LONG
@given(SEEDS)
def test_many_wrong_programs(seed: int) -> None:
    broken(seed)
