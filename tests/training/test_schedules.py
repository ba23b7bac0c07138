"""The emitted `learning_rate(step)` of float64 programs is Keras's rate in a compiled graph, bit for bit."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")
import keras
import tensorflow as tf

from nndsl import pipeline
from nndsl.targets.torch import compile_torch
from tests import parity_harness as harness

pytestmark = [pytest.mark.keras, pytest.mark.torch]

STEPS = 300
# 41 and 49 steps times their inverse in float32 are not 1: stairs there come late in Keras.
SCHEDULES = [
    "ExponentialDecay(0.1, 37, 0.3)",
    "ExponentialDecay(0.1, 41, 0.9, staircase=true)",
    "InverseTimeDecay(0.1, 5, 0.3)",
    "InverseTimeDecay(0.1, 41, 0.9, staircase=true)",
    "PolynomialDecay(0.1, 20, end_learning_rate=0.007, power=2.3)",
    "PolynomialDecay(0.1, 49, cycle=true)",
    "PolynomialDecay(0.1, 7, cycle=true, power=0.5)",
    "CosineDecay(0.1, 30, alpha=0.13)",
    "CosineDecay(0.0013, 130, warmup_target=0.07, warmup_steps=113, alpha=0.03)",
    "PiecewiseConstantDecay([10, 20, 31], [0.1, 0.07, 0.02, 0.01])",
    "CosineDecayRestarts(0.1, 10)",
    "CosineDecayRestarts(0.1, 7, t_mul=1, m_mul=0.9)",
    "CosineDecayRestarts(0.1, 10, t_mul=1.5, m_mul=0.9, alpha=0.03)",
    "CosineDecayRestarts(0.1, 3, t_mul=3.0)",
    "CosineDecayRestarts(0.1, 10, t_mul=1.1)",
]


def rates(schedule: str, dtype: str) -> tuple[list[float], list[float]]:
    """The rates of the first steps: of the emitted torch program, of Keras."""
    program, problems = harness.check(f"""
model M {{
    options {{ float = {dtype} }}
    input x: float[3]
    output y = x -> Dense(1) with loss=mse
    train {{ optimizer = SGD({schedule}) }}
}}
""")
    assert program is not None, [problem.message for problem in problems]
    harness._load("emitted_torch", compile_torch(program).text)
    ours: Any = sys.modules["emitted_torch"]
    harness._load("emitted_keras", pipeline.emit(program, "keras"))
    other: Any = sys.modules["emitted_keras"]
    model = other.build_model()
    other.compile_model(model)
    keras.config.set_floatx("float32")
    theirs = model.optimizer._learning_rate
    compiled = tf.function(lambda step: theirs(step))
    expected = [float(compiled(tf.constant(step, tf.int64))) for step in range(STEPS)]
    return [ours.learning_rate(step) for step in range(STEPS)], expected


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_rates_of_float64_programs_are_exact(schedule: str) -> None:
    found, expected = rates(schedule, "float64")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_rates_of_float32_programs_leap_where_keras_does(schedule: str) -> None:
    found, expected = rates(schedule, "float32")
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-7)
