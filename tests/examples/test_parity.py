"""Every example in both frameworks: equal to a Keras model that a person wrote, and to each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nndsl.ir.dims import free_symbols
from tests.examples.keras_reference import REFERENCES
from tests.parity_harness import Pair, compile_pair, copy_weights, random_inputs, run_keras, run_torch

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.nn"))

pytestmark = pytest.mark.keras


def _trainable(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _sizes(pair: Pair) -> dict[str, int]:
    names = {n for item in pair.model.inputs for dim in item.value.type.shape[1:] for n in free_symbols(dim)}
    return pair.model.constraints.smallest_sizes(sorted(names), at_least=7)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str) -> None:
    pair = compile_pair((ROOT / "examples" / f"{name}.nn").read_text(encoding="utf-8"))
    reference = REFERENCES[name]()
    assert pair.keras.count_params() == reference.count_params()
    assert _trainable(pair.torch) == sum(int(np.prod(w.shape)) for w in reference.trainable_weights)
    batch = pair.model.batch or 3
    _spread(pair)
    arrays = random_inputs(pair.model, _sizes(pair), batch=batch)
    for layer in reference.layers:
        if layer.weights:
            layer.set_weights(pair.keras.get_layer(layer.name).get_weights())  # before a call changes any state
    expected, _ = run_keras(pair, arrays)
    found, _ = run_torch(pair, arrays)
    assert set(expected) == set(found) == set(reference.output)
    for output in expected:
        scale = max(float(np.abs(expected[output]).max()), 1e-30)
        assert np.abs(found[output] - expected[output]).max() / scale <= 1e-5, output
    by_hand = reference(list(arrays.values()))
    for output, value in by_hand.items():
        np.testing.assert_allclose(np.asarray(value), expected[output], rtol=1e-5, atol=1e-5)


def _spread(pair: Pair) -> None:
    """Random weights of a size at which activations neither vanish nor saturate, in both programs."""
    random = np.random.default_rng(0)
    for path, variable in pair.weights.items():
        shape = tuple(variable.shape)
        if path.endswith("variance"):
            value = random.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            value = random.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
        else:
            value = random.normal(scale=0.1, size=shape)
        variable.assign(value)
    copy_weights(pair)
