"""The suite leaves out no entry and no option, its figures are all there, and the base of each entry equals Keras."""

from __future__ import annotations

import pytest

from nndsl.layers.entry import Entry
from tests.parity import figures, suite


@pytest.mark.parametrize("cls", suite.entries(), ids=figures.label)
def test_every_argument_is_varied(cls: type[Entry]) -> None:
    """Each argument has another value in some case, each of its choices too, or the case file says why not."""
    missing = suite.uncovered(cls.category, cls.__name__)
    assert not missing, f"tests/parity/cases has no case of {cls.category} {cls.__name__} for {', '.join(missing)}"
    assert not suite.stale(cls.category, cls.__name__), "the case file says that this is not supported, and it is"


def test_every_case_has_its_figures() -> None:
    assert not figures.missing(), "run make parity"


def test_the_page_is_what_the_figures_give() -> None:
    assert figures.PAGE.read_text(encoding="utf-8") == figures.page(), "run python -m tests.parity.figures"


def test_figures_are_rounded_up_to_powers_of_ten() -> None:
    assert [figures.figure(value) for value in (0.0, 1.2e-16, 1e-7, 2.5)] == ["0", "1e-15", "1e-07", "1e01"]


@pytest.mark.keras
@pytest.mark.torch
@pytest.mark.parametrize("category", ["layer", "function", "operator", "activation"])
def test_the_base_of_each_entry_equals_keras(category: str) -> None:
    """The first case of every entry in float64, all in one model."""
    pytest.importorskip("torch")  # before TensorFlow: the other way round can crash
    pytest.importorskip("tensorflow")
    from tests.parity.compare import compare
    from tests.parity.measure import limit

    bases = [suite.cases(cls.category, cls.__name__)[0] for cls in suite.entries() if cls.category == category]
    found = compare([case for case in bases if "draws" not in case.options], "float64")
    for case, item in found.items():
        assert max(item.outputs, item.gradients) <= limit(case, "float64"), f"{case.label}: {item}"


@pytest.mark.keras
@pytest.mark.torch
def test_what_differs_is_seen() -> None:
    """A weight off by a billionth, in float64, is more than is allowed."""
    pytest.importorskip("torch")  # before TensorFlow: the other way round can crash
    pytest.importorskip("tensorflow")
    from tests import parity_harness as harness
    from tests.parity.compare import Comparison
    from tests.parity.joint import joints
    from tests.parity.measure import LIMITS

    (joint,) = joints(suite.cases("layer", "Dense")[:2], "float64")
    comparison = Comparison(joint)
    harness.randomize(comparison.pair)
    inputs = {name: array for part in joint.parts for name, array in comparison.inputs(part).items()}
    with harness.torch.no_grad():
        comparison.pair.torch.get_parameter("y1.weight").mul_(1 + 1e-9)
    comparison.modes(inputs, training=False)
    first, second = (comparison.found[part.case] for part in joint.parts)
    assert first.outputs < LIMITS["float64"]
    assert first.gradients < LIMITS["float64"]
    assert second.outputs > LIMITS["float64"]
    assert second.gradients > LIMITS["float64"]


def test_a_difference_is_relative_to_the_largest_magnitude() -> None:
    import numpy as np

    pytest.importorskip("torch")  # before TensorFlow: the other way round can crash
    pytest.importorskip("tensorflow")
    from tests.parity.compare import relative

    expected = np.array([0.0, 2.0, np.nan, np.inf])
    assert relative(expected.copy(), expected) == 0
    assert relative(expected + np.array([1e-3, 0, 0, 0]), expected) == pytest.approx(5e-4)
    assert relative(np.zeros(4), expected) == np.inf  # a NaN on one side alone
    assert relative(np.ones(2), np.zeros(2)) == np.inf
    assert relative(np.ones(2), np.zeros(2), scale=4.0) == 0.25
    with pytest.raises(AssertionError):
        relative(np.zeros(2, "float32"), np.zeros(2))
