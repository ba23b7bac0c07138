"""The zoo's architectures give the outputs of keras.applications with the same weights, in both targets."""

from __future__ import annotations

import pytest

from tests.zoo.applications import compare
from tests.zoo.models import CASE, KNOWN, Known

pytestmark = [pytest.mark.keras, pytest.mark.torch]

TOO_SLOW = {("convnext_tiny", "float64")}
"""Grouped convolutions in float64 take Keras minutes on a CPU (a kernel without optimization)."""


def _cases(dtype: str) -> list[object]:
    quick = {"mobilenet_v2"} if dtype == "float32" else set()
    return [
        pytest.param(known, id=known.name, marks=[] if known.name in quick else [pytest.mark.slow])
        for known in KNOWN + CASE
        if (known.name, dtype) not in TOO_SLOW
    ]


@pytest.mark.parametrize("known", _cases("float32"))
def test_float32(known: Known) -> None:
    compare(known.path, known.application, size=known.size)


@pytest.mark.parametrize("known", _cases("float64"))
def test_float64(known: Known) -> None:
    compare(known.path, known.application, size=known.size, dtype="float64")
