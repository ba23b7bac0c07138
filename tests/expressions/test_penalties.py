"""Penalties: the same loss and the same gradients in both programs."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.parity_harness import Pair, apply_steps, compile_pair, random_inputs

VAE = """
model VAE {
    input x: float[12]
    h = x -> Dense(8, activation=tanh)
    mu = h -> Dense(2)
    logvar = h -> Dense(2)
    z = mu + exp(0.5 * logvar) * random_normal(like=mu, stddev=0)
    output y = z -> Dense(12, activation=sigmoid) with loss=binary_crossentropy
    penalty kl = -0.5 * sum(1 + logvar - square(mu) - exp(logvar), axis=-1) with weight=0.1
    PARTS
}
"""
PARTS = "submodel encoder(x) = mu\n    submodel decoder(z) = y"
MODELS = {
    "vae": VAE.replace("PARTS", ""),
    "vae_in_parts": VAE.replace("PARTS", PARTS),
    "of_the_batch": """
        model M {
            input x: float[4]
            h = x -> Dense(3)
            output y = h -> Dense(1) with loss=mse
            penalty size = mean(square(h))
        }""",
    "several": """
        model M {
            input x: float[4]
            h = x -> Dense(3, activity_regularizer=l2(0.1))
            output y = h -> Dense(1) with loss=mse, weight=2
            output other = h -> Dense(2) with loss=mse
            penalty size = mean(abs(h), axis=-1) with weight=0.5
            penalty spread = var(y) + 1
        }""",
    "of_an_output": """
        model M {
            input x: float[4]
            output y = x -> Dense(3, activation=softmax) with loss=categorical_crossentropy
            penalty entropy = sum(y * log(y), axis=-1) with weight=0.2
        }""",
    "masked": """
        model M {
            input ids: int[5]
            h = ids -> Embedding(6, 3, mask_zero=true)
            output y = h -> LSTM(4, return_sequences=true) with loss=mse
            penalty size = mean(square(h), axis=(1, 2))
        }""",
    "double": "model M {\n options { float = float64 }\n input x: float[4]\n h = x -> Dense(3)\n"
    " output y = h -> Dense(1) with loss=mse\n penalty size = 0.1 * norm(h, axis=-1) with weight=0.3\n}",
}


def of_keras(pair: Pair, arrays: dict[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
    """The losses that the layers add, and their gradients by weight path."""
    sources = {path: v.value for path, v in pair.weights.items() if v.trainable}
    with tf.GradientTape() as tape:
        values = [tf.constant(array) for array in arrays.values()]
        pair.keras(values[0] if len(values) == 1 else values, training=True)
        total = tf.add_n(pair.keras.losses)
    gradients = tape.gradient(total, sources)
    return float(total), {k: np.asarray(tf.convert_to_tensor(g)) for k, g in gradients.items() if g is not None}


def of_torch(pair: Pair, arrays: dict[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
    pair.torch.train()
    pair.torch.zero_grad()
    pair.torch(*(torch.from_numpy(array) for array in arrays.values()))
    total: Any = pair.torch.activity_penalty
    total.backward()
    weights = pair.torch.named_parameters(remove_duplicate=False)
    return float(total.detach()), {key: p.grad.numpy() for key, p in weights if p.grad is not None}


@pytest.mark.parametrize("name", MODELS)
def test_both_add_the_same(name: str) -> None:
    pair = compile_pair(MODELS[name])
    arrays = random_inputs(pair.model)
    (wanted, by_path), (found, by_key) = of_keras(pair, arrays), of_torch(pair, arrays)
    tolerance = 1e-12 if name == "double" else 1e-5
    assert found == pytest.approx(wanted, rel=tolerance)
    assert by_path
    for entry in pair.state:
        expected = by_path.get(entry.path)
        got = by_key.get(entry.key)
        assert (got is None or not got.any()) == (expected is None or not expected.any()), entry.path
        if expected is not None and got is not None:
            np.testing.assert_allclose(got, apply_steps(expected, entry.steps), rtol=0, atol=tolerance * 5)


def test_it_is_the_weighted_mean() -> None:
    pair = compile_pair(MODELS["vae"])
    arrays = random_inputs(pair.model)
    mu, logvar = {}, {}
    for name, place in (("mu", mu), ("logvar", logvar)):
        getattr(pair.torch, name).register_forward_hook(lambda *a, p=place: p.update(y=a[2].detach().numpy()))
    found, _ = of_torch(pair, arrays)
    m, v = mu["y"], logvar["y"]
    assert found == pytest.approx(0.1 * (-0.5 * (1 + v - m**2 - np.exp(v)).sum(-1)).mean(), rel=1e-5)


@pytest.mark.parametrize("name", ["vae", "several", "of_an_output", "masked"])
def test_training_losses_are_equal(name: str) -> None:
    """`loss` of both programs' own training parts: the outputs' losses and the penalties."""
    pair = compile_pair(MODELS[name])
    arrays = random_inputs(pair.model, batch=8)
    random = np.random.default_rng(0)
    targets = {o.name: np.abs(random.normal(size=(8, *o.value.type.shape[1:]))).astype(np.float32)
               for o in pair.model.outputs}  # fmt: skip
    if name == "of_an_output":
        targets["y"] /= targets["y"].sum(-1, keepdims=True)
    if name == "vae":
        targets["y"] = (targets["y"] > 0.5).astype(np.float32)
    emitted = sys.modules["emitted_keras"]
    emitted.compile_model(pair.keras)
    values = list(arrays.values())
    history = pair.keras.evaluate(values[0] if len(values) == 1 else values, targets, verbose=0, return_dict=True)
    program = sys.modules["emitted_torch"]
    pair.torch.eval()
    batch = {k: torch.from_numpy(v) for k, v in {**arrays, **targets}.items()}
    with torch.no_grad():
        total = float(program.measure(pair.torch, batch)["loss"])
    assert total == pytest.approx(history["loss"], rel=1e-5)
