"""Training that begins in one framework and goes on in the other ends where Keras alone would have ended.

Through the commands and the command lines of the emitted programs, as a user would.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.cli.main import main

pytest.importorskip("torch")
pytest.importorskip("tensorflow")
pytestmark = [pytest.mark.torch, pytest.mark.keras]

DENSE = """
    input x: float[6]
    output y = x -> Dense(8, activation=relu) -> BatchNormalization() -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, metrics=[accuracy]
"""
IMAGES = """
    input x: float[6, 6, 3]
    output y = x -> Conv2D(4, 3, padding=same, activation=relu) -> DepthwiseConv2D(3, depth_multiplier=2)
        -> BatchNormalization() -> Conv2DTranspose(3, 3, strides=2, padding=same) -> SeparableConv2D(4, 3)
        -> LayerNormalization() -> GlobalAveragePooling2D() -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, metrics=[accuracy]
"""
SERIES = """
    input x: float[9, 4]
    attended = (x, x) -> MultiHeadAttention(2, 3)
    read = attended -> LSTM(5, return_sequences=true) -> GRU(4, return_sequences=true)
    output y = read -> Bidirectional(GRU(3)) -> Dense(3, activation=softmax)
        with loss=sparse_categorical_crossentropy, metrics=[accuracy]
"""
# Keras on TensorFlow sums the gradient of a word that occurs twice only where the optimizer is linear in it.
TEXTS = (
    SERIES.replace("float[9, 4]", "int[9]")
    .replace("(x, x)", "(words, words)")
    .replace("    attended", "    words = x -> Embedding(20, 6)\n    attended")
)
CASES = {
    "dense-adam": (DENSE, "Adam(CosineDecay(0.02, 20, warmup_target=0.05, warmup_steps=5))"),
    "texts-momentum": (TEXTS, "SGD(0.1, momentum=0.8)"),
    "images-momentum": (IMAGES, "SGD(0.05, momentum=0.9, nesterov=true)"),
    "series-rmsprop": (SERIES, "RMSprop(0.01, momentum=0.5, centered=true)"),
    "images-adam": (IMAGES, "Adam(ExponentialDecay(0.02, 4, 0.7), amsgrad=true)"),
    "series-nadam": (SERIES, "Nadam(0.01)"),
    "dense-sgd": (DENSE, "SGD(0.1)"),
    "series-parts": (
        SERIES,
        """MultiOptimizer(OptimizerMap(Nadam(0.01), [
            ("read/.*", SGD(CosineDecay(0.1, 40), momentum=0.9)), ("read_lstm/bias", RMSprop(0.01)),
            ("attended/.*", Adam(0.01, clipnorm=0.1))]))""",
    ),
    "series-adamw": (SERIES, "AdamW(0.01, clipnorm=1)"),
    "images-adagrad": (IMAGES, "Adagrad(0.05)"),
    "dense-adadelta": (DENSE, "Adadelta(0.5)"),
    "dense-adamax": (DENSE, "Adamax(0.02, weight_decay=0.01)"),
}
FAST = {"dense-adam"}
TOLERANCE = "1e-9"


def _arrays(name: str) -> dict[str, Any]:
    random = np.random.default_rng(4)
    y = random.integers(0, 3, 44)
    if name.startswith("texts"):
        return {"x": (random.integers(0, 20, (44, 9)) + y[:, None]) % 20, "y": y}
    shape = {"dense": (44, 6), "series": (44, 9, 4), "images": (44, 6, 6, 3)}[name.partition("-")[0]]
    return {"x": random.normal(size=shape) + y.reshape(44, *[1] * (len(shape) - 1)), "y": y}


class Folder:
    """A model with both of its programs, and data; every call is a command line."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        layers, optimizer = CASES[name]
        train = f"train {{ optimizer = {optimizer}; batch_size = 16; shuffle = false }}"
        text = f"model M {{\n    options {{ float = float64 }}\n{layers}    {train}\n}}\n"
        (folder / "m.nn").write_text(text, encoding="utf-8")
        np.savez(folder / "data.npz", **_arrays(name))
        for target in ("torch", "keras"):
            self.nndsl("compile", "m.nn", "--target", target, "-o", f"{target}_program.py")

    def nndsl(self, *arguments: str) -> int:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            code = main(list(arguments))
        return code

    def program(self, target: str, *arguments: str) -> str:
        command = [sys.executable, "-I", f"{target}_program.py", *arguments]
        device = ["--device", "cpu"] if target == "torch" else []
        done = subprocess.run([*command, *device], cwd=self.folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def evaluated(self, target: str, weights: str) -> dict[str, float]:
        words = self.program(target, "evaluate", "data.npz", "--weights", weights).split()
        return dict(zip(words[::2], map(float, words[1::2]), strict=True))

    def assert_same(self, first: str, second: str) -> None:
        assert self.nndsl("weights", "diff", first, second, "--for", "m.nn", "--tolerance", TOLERANCE) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Folder]:
    return lambda name: Folder(tmp_path, name)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow]) for name in CASES]
)
def test_half_in_keras_half_in_torch(
    name: str, folder: Callable[[str], Folder], capsys: pytest.CaptureFixture[str]
) -> None:
    m = folder(name)
    seed = ["--seed", "3"]
    m.program("keras", "train", "data.npz", "--epochs", "6", "--weights", "whole.weights.h5", *seed)
    m.program("keras", "train", "data.npz", "--epochs", "3", "--weights", "half.weights.h5", *seed)
    assert m.nndsl("weights", "convert", "m.nn", "half.weights.h5", "half.pt") == 0
    assert "and the state of" in capsys.readouterr().out
    assert m.evaluated("keras", "half.weights.h5") == m.evaluated("torch", "half.pt")
    m.program("torch", "resume", "data.npz", "--epochs", "3", "--weights", "half.pt")
    m.assert_same("half.pt", "whole.weights.h5")
    assert m.nndsl("weights", "diff", "half.weights.h5", "whole.weights.h5", "--tolerance", "1e-6") == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_half_in_torch_half_in_keras(name: str, folder: Callable[[str], Folder]) -> None:
    m = folder(name)
    m.program("keras", "train", "data.npz", "--epochs", "0", "--weights", "start.weights.h5", "--seed", "3")
    assert m.nndsl("weights", "convert", "m.nn", "start.weights.h5", "half.pt") == 0
    m.program("torch", "resume", "data.npz", "--epochs", "3", "--weights", "half.pt")
    assert m.nndsl("weights", "convert", "m.nn", "half.pt", "half.keras") == 0
    assert m.nndsl("weights", "convert", "m.nn", "half.keras", "half.weights.h5") == 0
    assert m.evaluated("keras", "half.weights.h5") == m.evaluated("torch", "half.pt")
    m.program("keras", "resume", "data.npz", "--epochs", "3", "--weights", "half.weights.h5")
    m.program("keras", "resume", "data.npz", "--epochs", "6", "--weights", "start.weights.h5")
    m.assert_same("half.weights.h5", "start.weights.h5")
