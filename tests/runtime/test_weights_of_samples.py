"""`sample_weight` and `step_weight` in `nndsl run`: where the weights come from, what they do, what is said of wrong
ones. That they count as in Keras is shown in tests/training/test_semantics_by_hand.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nndsl.cli.main import main

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

LINE = """model Line {
    input x: float[1]
    output y = x -> Dense(1) with loss=mse, sample_weight=trust
    train { optimizer = SGD(learning_rate=0.1); epochs = 60; batch_size = 20; seed = 1 }
    data {
        source points = csv("points.csv")
        x = points.x
        y = points.y
        trust = points.trust
    }
}
"""
STEPS = """model Steps {
    input x: float[5, 2]
    output y = x -> LSTM(3, return_sequences=true) -> Dense(1) with loss=mse, step_weight=w, weighted_metrics=[mae]
    train { optimizer = adam; epochs = 1; seed = 1 }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Points on two lines: those of 0.5 x + 2 have weight 1, the others 0."""
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    x = np.linspace(-1, 1, 200)
    trust = np.arange(200) % 2
    y = np.where(trust == 1, 0.5 * x + 2, -3 * x)
    rows = "".join(f"{a:.4f},{b:.4f},{w}\n" for a, b, w in zip(x, y, trust, strict=True))
    Path("points.csv").write_text(f"x,y,trust\n{rows}")
    np.savez("points.npz", x=x[:, None], y=y[:, None], trust=trust.astype(float))
    Path("line.nn").write_text(LINE)
    Path("steps.nn").write_text(STEPS)
    return tmp_path


def learnt() -> tuple[float, float]:
    from safetensors.numpy import load_file

    found = load_file(max(Path("runs").glob("*/weights.safetensors")))
    return float(found["y/kernel"][0, 0]), float(found["y/bias"][0])


@pytest.mark.parametrize("data", [[], ["--data", "points.csv"], ["--data", "points.npz"]])
def test_samples_of_weight_0_teach_nothing(data: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "line.nn", *data]) == 0
    assert learnt() == (pytest.approx(0.5, abs=0.03), pytest.approx(2, abs=0.03))


def test_random_data_have_weights(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "steps.nn", "--data", "random"]) == 0
    assert "mae" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("weights", "code", "says"),
    [
        (np.full(200, np.nan), 1, "is missing (nan)"),
        (np.ones((200, 2)), 1, "`trust`"),
        (np.ones(150), 1, "150"),
        (-np.ones(200), 0, "a weight below 0 rewards mistakes"),
    ],
)
def test_wrong_weights(
    weights: np.ndarray, code: int, says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load("points.npz") as file:
        arrays = {**file, "trust": weights}
    np.savez("wrong.npz", **arrays)
    arguments = ["run", "line.nn", "--data", "wrong.npz", "--epochs", "1"]
    assert main(arguments) == code
    shown = capsys.readouterr()
    assert says in shown.err + shown.out
    assert Path("runs/line-1/weights.safetensors").exists() == (code == 0)


def test_an_archive_without_weights_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load("points.npz") as file:
        np.savez("bare.npz", x=file["x"], y=file["y"])
    assert main(["run", "line.nn", "--data", "bare.npz"]) == 1
    assert "bare.npz has no array `trust`" in capsys.readouterr().err


def test_the_order_of_the_data_is_kept_without_shuffling() -> None:
    """Keras trains on the first part in order, and holds out the last: `int(n * (1 - share))` samples are kept."""
    from nndsl import pipeline
    from nndsl.diagnostics.model import Problems
    from nndsl.runtime.dataset import Dataset
    from nndsl.runtime.filling import Filling
    from nndsl.source import SourceFile

    text = STEPS.replace("seed = 1", "seed = 1; validation_split = 0.3")
    program = pipeline.check(SourceFile("steps.nn", text), Problems())
    assert program is not None
    filling = Filling(program.main, batch=32, steps=None, seed=0)
    filled = filling.read("random")
    data = Dataset(program.main, filled, {}, "random data")
    kept = int(data.rows * (1 - 0.3))
    assert data.train.rows.tolist() == list(range(kept))
    assert data.validation.rows.tolist() == list(range(kept, data.rows))
    data = Dataset(program.main, filled, {"test": 0.2}, "random data")
    left = data.rows - len(data.test)
    assert len(data.train) == int(left * (1 - 0.3)) and len(data.train) + len(data.validation) == left
    assert (np.diff(data.train.rows) > 0).all() and data.train.rows.max() < data.validation.rows.min()
