"""Every example's emitted programs at work: trained, evaluated and asked for predictions on random arrays of the
declared shapes, each through its own `main`, where nndsl cannot be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nndsl.ir.graph import Model
from nndsl.pipeline import emit
from nndsl.runtime.made import random_array, random_sizes
from nndsl.runtime.slots import slots_of
from tests.examples.test_examples import EXAMPLES, program

QUICK = {"cnn_channels_first", "rnn_regression"}
"""The examples that every test run tries; the others are slow."""


def _arrays(model: Model) -> dict[str, np.ndarray]:
    slots = slots_of(model)
    rows = 2 * (model.batch or 4)
    return {slot.name: random_array(slot, random_sizes(model), rows, seed=1) for slot in slots}


def _run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", _ISOLATED, "program.py", *arguments],
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


_ISOLATED = """
import runpy, sys
sys.modules["nndsl"] = None  # importing it fails
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("target", ["torch", "keras"])
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in EXAMPLES]
)
def test_program(name: str, target: str, tmp_path: Path) -> None:
    model = program(name).main
    (tmp_path / "program.py").write_text(emit(program(name), target), encoding="utf-8")
    arrays = _arrays(model)
    np.savez(tmp_path / "data.npz", **arrays)  # type: ignore[arg-type]
    weights = "w.pt" if target == "torch" else "w.weights.h5"
    length = ["--steps", "3"] if "steps" in model.training.given else ["--epochs", "1"]
    watched = ["--validation", "data.npz"] if model.training.given.get("callbacks") else []
    assert "loss" in _run(tmp_path, "train", "data.npz", "--weights", weights, *length, *watched)
    assert "loss" in _run(tmp_path, "evaluate", "data.npz", "--weights", weights)
    _run(tmp_path, "predict", "data.npz", "--weights", weights, "--output", "p.npz")
    with np.load(tmp_path / "p.npz") as predictions:
        assert set(predictions.files) == {output.name for output in model.outputs}
        for values in predictions.values():
            assert len(values) == len(next(iter(arrays.values())))
            assert np.isfinite(values).all()
