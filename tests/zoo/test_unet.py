"""U-Net, which keras.applications does not have: both targets against each other, outputs and gradients."""

from __future__ import annotations

import numpy as np
import pytest

from tests.parity_harness import Pair, apply_steps, compile_pair, copy_weights, random_inputs, run_keras, run_torch
from tests.zoo.models import ZOO
from tests.zoo.params import in_float, set_params

pytestmark = [pytest.mark.keras, pytest.mark.torch]


def _spread(pair: Pair) -> None:
    """Random weights of a size at which activations neither vanish nor saturate."""
    random = np.random.default_rng(0)
    for variable in pair.weights.values():
        shape = tuple(variable.shape)
        scale = np.sqrt(2 / np.prod(shape[:-1])) if len(shape) > 1 else 0.1
        variable.assign(random.normal(scale=scale, size=shape))
    copy_weights(pair)


@pytest.mark.slow
def test_unet() -> None:
    text = (ZOO / "unet.nn").read_text(encoding="utf-8")
    pair = compile_pair(in_float(set_params(text, {"size": 32, "channels": 3, "classes": 4}), "float64"))
    _spread(pair)
    arrays = random_inputs(pair.model, batch=1)
    expected, by_path = run_keras(pair, arrays)
    found, by_key = run_torch(pair, arrays)
    assert expected["mask"].shape == (1, 32, 32, 4)
    assert expected["mask"].std() > 0.05
    np.testing.assert_allclose(found["mask"], expected["mask"], rtol=0, atol=1e-12)
    for entry in pair.state:
        gradient = apply_steps(by_path[entry.path], entry.steps)
        largest = np.abs(gradient).max()
        assert largest > 0
        np.testing.assert_allclose(by_key[entry.key], gradient, rtol=0, atol=1e-9 * largest, err_msg=entry.key)
