"""Every entry of the catalogue, in every configuration of the suite, against real Keras: outputs, gradients, training.

With `--update` the figures are written to figures.json.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from nndsl.layers.entry import Entry
from tests.parity import figures, suite
from tests.parity.files import Case

pytest.importorskip("torch")  # before TensorFlow: the other way round can crash
pytest.importorskip("tensorflow")
from tests.parity.joint import Rejected
from tests.parity.measure import limit, measure, measure_cases
from tests.parity_harness import tf

pytestmark = [pytest.mark.keras, pytest.mark.torch, pytest.mark.slow]


@pytest.mark.parametrize("cls", suite.entries(), ids=figures.label)
def test_an_entry_equals_keras(cls: type[Entry], request: pytest.FixtureRequest) -> None:
    key = cls.category, cls.__name__
    cases = suite.cases(*key)
    assert cases, f"no case file in tests/parity/cases has a section for {' '.join(key)}"
    rows: dict[str, figures.Row] = {case.label: [None] * 4 for case in cases}
    off = []
    for column, dtype in ((0, "float32"), (2, "float64")):
        for case, found in measure(*key, dtype).items():
            rows[case.label][column : column + 2] = [figures.figure(found.outputs), figures.figure(found.gradients)]
            if not max(found.outputs, found.gradients) <= limit(case, dtype):
                off.append(f"{dtype} {case.label}: {found.outputs:.1e}, {found.gradients:.1e} ({found.where})")
    assert not off, "\n".join(off)
    if request.config.getoption("--update"):
        figures.write(key, rows)


FLOAT32 = [case for section in suite.sections().values() for case in section.cases if "float32" in case.options]


@pytest.mark.parametrize("case", FLOAT32, ids=lambda case: case.text)
def test_what_exists_in_float32_alone_does_not_run_in_float64(case: Case) -> None:
    """So that no case says so without need."""
    options = {name: value for name, value in case.options.items() if name != "float32"}
    with pytest.raises((Rejected, tf.errors.OpError, LookupError, TypeError, ValueError)):
        measure_cases(case.entry[0], [replace(case, options=options)], "float64")
