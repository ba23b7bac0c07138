"""Both programs of one text trained side by side: same weights, same batches, then everything compared."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import numpy as np
import torch

from tests import parity_harness as harness

Arrays = dict[str, np.ndarray]


class Programs:
    """The emitted programs of `text` with the same random weights."""

    def __init__(self, text: str) -> None:
        self.pair = harness.compile_pair(text)
        self.torch: Any = sys.modules["emitted_torch"]
        self.keras: Any = sys.modules["emitted_keras"]

    def train(self, data: Arrays, validation: Arrays | None = None, **options: Any) -> None:
        """`train` of both, with the same options."""
        tensors = {name: self.torch.to_tensor(name, array) for name, array in data.items()}
        arrays = {name: self.keras.to_array(name, array) for name, array in data.items()}
        held = held_tensors = None
        if validation is not None:
            held = {name: self.keras.to_array(name, array) for name, array in validation.items()}
            held_tensors = {name: self.torch.to_tensor(name, array) for name, array in validation.items()}
        taken = inspect.signature(self.torch.train).parameters  # without shuffling there is no seed
        mine = {name: value for name, value in options.items() if name in taken}
        self.torch.train(self.pair.torch, tensors, held_tensors, **mine)
        self.keras.train(self.pair.keras, arrays, held, **options)

    def evaluate(self, data: Arrays) -> tuple[dict[str, float], dict[str, float]]:
        """What each reports of the data: torch, Keras."""
        tensors = {name: self.torch.to_tensor(name, array) for name, array in data.items()}
        arrays = {name: self.keras.to_array(name, array) for name, array in data.items()}
        if not self.pair.keras.compiled:
            self.keras.compile_model(self.pair.keras)
        return (
            self.torch.run(self.pair.torch, self.torch.batches(tensors, self.torch.BATCH_SIZE)),
            self.keras.evaluate(self.pair.keras, arrays),
        )

    def weight_difference(self) -> float:
        """The largest difference between the weights of the two models."""
        saved = self.pair.torch.state_dict()
        worst = 0.0
        for entry in self.pair.state:
            value = harness.apply_steps(np.asarray(self.pair.weights[entry.path]), entry.steps)
            worst = max(worst, float(np.abs(saved[entry.key].numpy() - value).max(initial=0)))
        return worst


def assert_same_training(
    text: str, data: Arrays, validation: Arrays | None = None, tolerance: float = 1e-5, **options: Any
) -> Programs:
    """Trains both and demands equal weights and, before and behind, equal reports."""
    programs = Programs(text)
    assert_same_reports(programs, data, tolerance)
    before = {key: value.clone() for key, value in programs.pair.torch.state_dict().items()}
    programs.train(data, validation, **options)
    after = programs.pair.torch.state_dict()
    assert any(not torch.equal(before[key], after[key]) for key in before), "nothing was trained"
    assert programs.weight_difference() <= tolerance
    assert_same_reports(programs, data, tolerance)
    return programs


def assert_same_reports(programs: Programs, data: Arrays, tolerance: float) -> None:
    found, expected = programs.evaluate(data)
    assert "loss" in expected
    assert set(found) <= set(expected), (found, expected)
    for name, value in found.items():
        assert abs(value - expected[name]) <= tolerance * max(1.0, abs(expected[name])), (name, value, expected[name])
