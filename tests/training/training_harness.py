"""Both programs of one text trained side by side: same weights, same batches, then everything compared."""

from __future__ import annotations

import ast
import inspect
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests import parity_harness as harness

Arrays = dict[str, np.ndarray]


class Programs:
    """The emitted programs of `text` with the same random weights."""

    def __init__(self, text: str) -> None:
        self.adopt(harness.compile_pair(text))

    def adopt(self, pair: harness.Pair) -> None:
        """Works on the programs that were compiled last."""
        self.pair = pair
        self.torch: Any = sys.modules["emitted_torch"]
        self.keras: Any = sys.modules["emitted_keras"]

    def read(self, program: Any, data: Arrays, *device: torch.device) -> Any:
        """The arrays as a program reads them from a file."""
        with tempfile.TemporaryDirectory() as folder:
            np.savez(f"{folder}/data.npz", **data)  # type: ignore[arg-type]
            return program.load_data(f"{folder}/data.npz", tuple(program.ARRAYS), *device)

    def train(self, data: Arrays, validation: Arrays | None = None, seed: int = 0, folder: Path | None = None) -> None:
        """Trains both as on the command line, on the same samples in the same order. What they write lies in the
        folders `keras` and `torch` below `folder`; without one only torch's program may write."""
        with pytest.MonkeyPatch.context() as patch:
            if folder is not None:
                (folder / "keras").mkdir()
                (folder / "torch").mkdir()
                patch.chdir(folder / "keras")
            self._train_keras(data, validation, seed)
        with tempfile.TemporaryDirectory() as aside:
            self._train_torch(data, validation, seed, Path(aside) if folder is None else folder / "torch")

    def _train_keras(self, data: Arrays, validation: Arrays | None, seed: int) -> None:
        arrays = self.read(self.keras, data)
        held = self.read(self.keras, validation) if validation is not None else None
        taken = inspect.signature(self.keras.train).parameters  # without shuffling there is no seed
        self.keras.train(self.pair.keras, arrays, held, **({"seed": seed} if "seed" in taken else {}))

    def _train_torch(self, data: Arrays, validation: Arrays | None, seed: int, folder: Path) -> None:
        order = np.random.default_rng(seed)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            np.savez("data.npz", **data)  # type: ignore[arg-type]
            np.savez("held.npz", **(validation or {}))  # type: ignore[arg-type]
            held_out = ["--validation", "held.npz"] if validation is not None else []
            patch.setattr(sys, "argv", ["model.py", "train", "data.npz", "--device", "cpu", *held_out])
            patch.setattr(torch, "randperm", lambda count: torch.from_numpy(order.permutation(count)))
            patch.setattr(self.torch, type(self.pair.torch).__name__, lambda: self.pair.torch)
            run_main(self.torch, self.pair.texts["torch"])

    def evaluate(self, data: Arrays) -> tuple[dict[str, float], dict[str, float]]:
        """What each reports of the data: torch, Keras."""
        tensors, arrays = self.read(self.torch, data, torch.device("cpu")), self.read(self.keras, data)
        if not self.pair.keras.compiled:
            self.keras.compile_model(self.pair.keras)
        size = self.keras.BATCH_SIZE
        if hasattr(self.torch, "batches"):  # training counts steps
            state = [self.pair.torch] if "model" in inspect.signature(self.torch.batches).parameters else []
            found = self.torch.run(self.pair.torch, self.torch.batches(*state, tensors, size))
        else:
            found = self.torch.run(self.pair.torch, tensors, size)
        return found, self.keras.evaluate(self.pair.keras, arrays)

    def weight_difference(self) -> float:
        """The largest difference between the weights of the two models; infinite where one is no number."""
        saved = self.pair.torch.state_dict()
        worst = 0.0
        for entry in self.pair.state:
            value = harness.apply_steps(np.asarray(self.pair.weights[entry.path]), entry.steps)
            difference = float(np.abs(saved[entry.key].numpy() - value).max(initial=0))
            worst = max(worst, difference if np.isfinite(difference) else np.inf)
        return worst


def run_main(module: Any, text: str) -> None:
    """Runs what stands under `if __name__ == "__main__"` in the module's text, on `sys.argv`."""
    main = ast.parse(text).body[-1]
    assert isinstance(main, ast.If) and ast.unparse(main.test) == "__name__ == '__main__'"
    exec(compile(ast.Module(main.body, []), "<emitted>", "exec"), dict(vars(module)))


def assert_same_training(
    text: str, data: Arrays, validation: Arrays | None = None, tolerance: float = 1e-5
) -> Programs:
    """Trains both and demands equal weights and, before and behind, equal reports."""
    programs = Programs(text)
    assert_same_reports(programs, data, tolerance)
    before = {key: value.clone() for key, value in programs.pair.torch.state_dict().items()}
    programs.train(data, validation)
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
        if np.isnan(value) and np.isnan(expected[name]):  # the correlation of equal numbers
            continue
        assert abs(value - expected[name]) <= tolerance * max(1.0, abs(expected[name])), (name, value, expected[name])


def assert_same_logs(programs: Programs, data: Arrays, tolerance: float) -> None:
    """One epoch of training in each, without shuffling: what is reported of it must be equal."""
    tensors = programs.read(programs.torch, data, torch.device("cpu"))
    arrays = programs.read(programs.keras, data)
    size, taken = programs.keras.BATCH_SIZE, inspect.signature(programs.keras.Batches.__init__).parameters
    weighted = {"weighted": True} if "weighted" in taken else {}
    programs.keras.compile_model(programs.pair.keras)
    history = programs.pair.keras.fit(
        programs.keras.Batches(arrays, size, **weighted), epochs=1, shuffle=False, verbose=0
    ).history
    expected = {}
    for name, (value,) in history.items():
        several = np.ndim(value) > 0
        expected |= {f"{name}_{number}": item for number, item in enumerate(value)} if several else {name: value}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randperm", torch.arange)
        found = programs.torch.run(
            programs.pair.torch, tensors, size, programs.torch.make_optimizer(programs.pair.torch)
        )
    assert set(found) == set(expected)
    for name, value in found.items():
        close = np.isclose(value, expected[name], rtol=tolerance, atol=tolerance, equal_nan=True)
        assert close, (name, value, expected[name])
