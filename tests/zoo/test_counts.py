"""The zoo's architectures have the weights of keras.applications, to the unit. No framework is loaded."""

from __future__ import annotations

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.render import render_text
from nndsl.files import read_source
from nndsl.ir.graph import CheckedProgram
from nndsl.views.summary import summarize
from tests.zoo.models import CASE, KNOWN, ZOO, Known


def checked(path: str) -> CheckedProgram:
    problems = Problems()
    source = read_source(path, problems)
    program = None if source is None else pipeline.check(source, problems)
    assert not problems.items, render_text(problems)
    assert program is not None
    return program


@pytest.mark.parametrize("known", [pytest.param(known, id=known.name) for known in KNOWN + CASE])
def test_counts(known: Known) -> None:
    summary = summarize(checked(str(known.path)).main)
    assert summary.trainable + summary.frozen == known.parameters
    assert summary.trainable == known.trainable


def test_every_file_of_the_zoo_is_sound() -> None:
    """No problem in any of them, not even a warning, at the size that stands in the file."""
    for path in sorted(ZOO.glob("*.nn")):
        checked(str(path))


def test_unet_keeps_the_size() -> None:
    [mask] = checked(str(ZOO / "unet.nn")).main.outputs
    assert mask.value.type.shape[1:] == (512, 512, 2)
