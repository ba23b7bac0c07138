"""Every model of the zoo trains a step in both targets, through its emitted program's command line, at a small size."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.diagnostics.render import render_text
from nndsl.runtime.made import random_array, random_sizes
from nndsl.runtime.slots import slots_of
from nndsl.source import SourceFile
from tests.zoo.models import ZOO
from tests.zoo.params import set_params

SIZES = {"inception_v3": 75, "xception": 71}
"""Where 32 pixels are too few."""

NAMES = ["vgg16", "resnet50", "resnet50v2", "mobilenet_v2", "densenet121", "inception_v3", "xception"]
NAMES += ["efficientnet_b0", "unet"]


@pytest.mark.slow
@pytest.mark.parametrize("target", ["torch", "keras"])
@pytest.mark.parametrize("name", NAMES)
def test_trains_a_step(name: str, target: str, tmp_path: Path) -> None:
    params = {"size": SIZES.get(name, 32), "classes": 5}
    text = set_params((ZOO / f"{name}.nn").read_text(encoding="utf-8"), params)
    problems = Problems()
    program = pipeline.check(SourceFile(f"{name}.nn", text), problems)
    assert program is not None, render_text(problems)
    (tmp_path / "program.py").write_text(pipeline.emit(program, target), encoding="utf-8")
    arrays = {slot.name: random_array(slot, random_sizes(program.main), 2, seed=1) for slot in slots_of(program.main)}
    np.savez(tmp_path / "data.npz", **arrays)  # type: ignore[arg-type]
    weights = "w.pt" if target == "torch" else "w.weights.h5"
    done = subprocess.run(
        [sys.executable, "program.py", "train", "data.npz", "--epochs", "1", "--weights", weights],
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "loss" in done.stdout and "nan" not in done.stdout
