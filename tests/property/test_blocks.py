"""Random programs of blocks: both targets are written, structured and flat, and torch builds what was predicted."""

from __future__ import annotations

import ast
from math import prod
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nndsl import pipeline
from nndsl.diagnostics.render import render_text
from nndsl.ir.graph import Model
from tests.property.programs import block_program, check

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
QUICK = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
SEEDS = st.integers(0, 2**40)


def predicted(model: Model) -> int:
    """The number of weights that the compiler tells."""
    return sum(prod(weight.shape) for use in model.layers for weight in use.config.weights(*use.nodes[0].input_types))


def built(seed: int) -> None:
    text = block_program(Random(seed))
    checked, problems = check(text)
    assert checked is not None, f"{render_text(problems.errors)}\n{text}"
    outputs = []
    for inline in (False, True):
        ast.parse(pipeline.emit(checked, "keras", inline=inline))
        code = pipeline.emit(checked, "torch", inline=inline)
        namespace: dict[str, Any] = {"__name__": "made"}
        try:
            exec(compile(code, "<made>", "exec"), namespace)
            module = namespace["Made"]()
            assert sum(p.numel() for p in module.parameters()) == predicted(checked.main)
            found = module(torch.zeros(2, 4))
        except Exception as error:
            raise AssertionError(f"{error!r} of\n{text}") from error
        outputs.append({name: tuple(value.shape) for name, value in found.items()})
        for output in checked.main.outputs:
            assert outputs[-1][output.name][1:] == output.value.type.features
    assert outputs[0] == outputs[1]


@QUICK
@given(SEEDS)
def test_blocks_are_built(seed: int) -> None:
    built(seed)


@pytest.mark.slow
@LONG
@given(SEEDS)
def test_many_blocks_are_built(seed: int) -> None:
    built(seed)
