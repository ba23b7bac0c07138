"""`nndsl run` from the command line to the folder of the run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nndsl.cli.main import main

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.nn"))

LINE = """model Line {
    input x: float[1]
    output y = x -> Dense(1) with loss=mse, metrics=[mae]
    train { optimizer = SGD(learning_rate=0.1); epochs = 30; batch_size = 20; seed = 1 }
    data {
        source points = %s
        x = points.x
        y = points.y
    }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    x = np.linspace(-1, 1, 200)
    np.savez("points.npz", x=x, y=0.5 * x + 2)
    rows = "".join(f"{a:.4f},{0.5 * a + 2:.4f}\n" for a in x)
    Path("points.csv").write_text(f"x,y\n{rows}")
    Path("line.nn").write_text(LINE % 'npz("points.npz") with test=0.2, seed=7')
    Path("table.nn").write_text(LINE % 'csv("points.csv") with test=0.2, validation=0.1, seed=7')
    return tmp_path


def weights(path: str) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(path)


@pytest.mark.parametrize("name", ["line", "table"])
def test_learns_a_line(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", f"{name}.nn"]) == 0
    found = weights(f"runs/{name}-1/weights.safetensors")
    assert found["y/kernel"].shape == (1, 1)
    assert found["y/kernel"][0, 0] == pytest.approx(0.5, abs=0.02)
    assert found["y/bias"][0] == pytest.approx(2, abs=0.02)
    out = capsys.readouterr().out
    assert f"weights: runs/{name}-1/weights.safetensors" in out
    assert "epoch 30/30  loss 0.0000" in out or "e-0" in out
    assert "output" in out and "weighted loss" in out and "mae" in out
    assert ("val_loss" in out) == (name == "table")


def test_data_option_replaces_the_section(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.linspace(-1, 1, 100)[:, None]
    np.savez("other.npz", x=x, y=-x)
    assert main(["run", "line.nn", "--data", "other.npz", "-o", "out/", "--quiet"]) == 0
    assert weights("out/weights.safetensors")["y/kernel"][0, 0] == pytest.approx(-1, abs=0.05)
    Path("two.csv").write_text("".join(f"{a},{3 * a}\n" for a in np.linspace(-1, 1, 100)))
    assert main(["run", "line.nn", "--data", "two.csv", "-o", "three", "--quiet"]) == 0
    assert weights("three/weights.safetensors")["y/kernel"][0, 0] == pytest.approx(3, abs=0.1)
    assert capsys.readouterr().out.count("20 samples") == 2  # a fifth is held out


def test_same_seed_same_bits(folder: Path) -> None:
    for name in ("a", "b", "c"):
        seed = "5" if name != "c" else "6"
        assert main(["run", "table.nn", "--seed", seed, "--epochs", "3", "--quiet", "-o", name]) == 0
    a, b, c = (Path(name, "weights.safetensors").read_bytes() for name in ("a", "b", "c"))
    assert a == b
    assert a != c


def test_steps_and_their_evaluation(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "line.nn", "--steps", "20"]) == 0
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if line.startswith("step ")]
    assert len(lines) == 10
    assert all("val_loss" in line for line in lines)
    assert "20 steps in" in out


def test_nan_loss_ends_the_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("wild.nn").write_text(Path("line.nn").read_text().replace("=0.1)", "=1e20)"))
    assert main(["run", "wild.nn"]) == 1
    assert "NN0609" in capsys.readouterr().err
    about = json.loads(Path("runs/wild-1/run.json").read_text())
    assert about["status"] == "failed" and "the loss is" in about["reason"]
    assert np.isfinite(weights("runs/wild-1/weights.safetensors")["y/kernel"]).all()  # the last good ones


def test_wrong_data_ends_before_training(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("points.npz", x=np.zeros(5), y=np.zeros(6))
    assert main(["run", "line.nn"]) == 1
    assert "NN0605" in capsys.readouterr().err
    assert not Path("runs").exists()
    assert main(["run", "line.nn", "--data", "nowhere.csv"]) == 1
    assert "NN0603" in capsys.readouterr().err


def test_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["--epochs", "0"],
        ["--epochs", "2", "--steps", "3"],
        ["--seed", "-1"],
        ["--batch-size", "x"],
        ["--device", "tpu"],
        ["--model", "Lime"],
        ["-o", "points.npz/weights"],
        ["-o", "points.npz"],
        ["-o", "weights.safetensors"],
        ["-o", "."],
        ["--device", "cuda:x"],
        ["--resume", "runs/line-1"],
    ):
        assert main(["run", "line.nn", *arguments]) == 2, arguments
        assert "error" in capsys.readouterr().err
    if not torch.cuda.is_available():
        assert main(["run", "line.nn", "--device", "cuda"]) == 2


def test_without_torch_it_says_what_to_install(folder: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from nndsl.cli.main import main; sys.exit(main(['run', 'line.nn']))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'nndsl[torch]'" in done.stderr


def test_early_stopping(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path("table.nn").read_text()
    stop = "callbacks = [EarlyStopping(patience=2, min_delta=0.01)]; epochs = 200"
    Path("stop.nn").write_text(text.replace("epochs = 30", stop))
    assert main(["run", "stop.nn"]) == 0
    out = capsys.readouterr().out
    assert "stopped early" in out
    Path("stop.nn").write_text(text.replace("epochs = 30", stop).replace("validation=0.1, ", ""))
    assert main(["run", "stop.nn"]) == 1
    assert "no data is kept for validation" in capsys.readouterr().err


def test_cross_validation(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(60, 2))
    rows = "".join(f"{a:.3f},{b:.3f},{int(a + b > 0)}\n" for a, b in points)
    Path("points.csv").write_text(f"a,b,side\n{rows}")
    Path("side.nn").write_text(
        """model Side {
    input point: float[2]
    output side = point -> Dense(1, activation=sigmoid) with loss=binary_crossentropy, metrics=[accuracy]
    train { optimizer = SGD(learning_rate=1.0); epochs = 20; batch_size = 10; seed = 1
            cross_validation = StratifiedKFold(5) }
    data { source t = csv("points.csv"); point = t[0:2] -> standardize(); side = t.side }
}
"""
    )
    assert main(["run", "side.nn"]) == 0
    out = capsys.readouterr().out
    mean = next(line.split() for line in out.splitlines() if line.split()[:1] == ["mean"])
    assert float(mean[2]) > 0.9
    assert "deviation" in out and "part 5/5" in out
    assert not Path("runs/side-1/weights.safetensors").exists()
    found = json.loads(Path("runs/side-1/metrics.json").read_text())["cross_validation"]
    assert len(found["parts"]) == 5
    assert found["mean"]["side"]["accuracy"] == pytest.approx(float(mean[2]), abs=1e-4)


def test_folds_are_those_of_scikit_learn() -> None:
    from sklearn.model_selection import KFold, StratifiedKFold

    from nndsl.layers.build import make
    from nndsl.runtime.folds import folds
    from nndsl.runtime.report import file_span

    labels = np.random.default_rng(0).integers(0, 4, 103)
    for name, theirs in (("KFold", KFold), ("StratifiedKFold", StratifiedKFold)):
        for options in ({"shuffle": False}, {"shuffle": True, "random_state": 3}):
            splitter = make("splitter", name, n_splits=7, **options)
            found = folds(splitter, np.arange(103), labels, file_span("x"))
            wanted = theirs(7, **options).split(labels, labels)
            for (train, test), (their_train, their_test) in zip(found, wanted, strict=True):
                assert np.array_equal(train, their_train) and np.array_equal(test, their_test)


def test_a_stateful_model_sees_whole_batches_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(ROOT / "examples/rnn_regression.nn"), "--steps", "120", "--seed", "3"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("step")]
    losses = [float(line.split("loss ")[1].split()[0]) for line in lines]
    assert losses[-1] < 0.1 < losses[0]
    assert main(["run", str(ROOT / "examples/stream.nn"), "--data", "random", "--batch-size", "8"]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_runs_on_random_data(example: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(example), "--data", "random", "--steps", "2", "--seed", "1"]) == 0
    out = capsys.readouterr().out
    assert "held-out data" in out or "mean" in out


@pytest.mark.slow
def test_digits_reaches_97_percent(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(ROOT / "examples/digits.nn"), "--quiet"]) == 0
    row = next(line.split() for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["label"])
    assert float(row[-1]) >= 0.97


def test_ctrl_c_saves_what_there_is(folder: Path) -> None:
    command = [sys.executable, "-m", "nndsl", "run", "line.nn", "--epochs", "1000000"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch"):
                break
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted after" in out and "nndsl run --resume runs/line-1" in out
    assert weights("runs/line-1/weights.safetensors")["y/kernel"].shape == (1, 1)


@pytest.mark.slow
def test_a_forecast_is_better_than_tomorrow_as_today(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(ROOT / "examples/temperatures.nn"), "--quiet"]) == 0
    row = next(line.split() for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["tomorrow"])
    temperatures = np.loadtxt(ROOT / "examples/temperatures.csv", delimiter=",", skiprows=1)[:, 0]
    assert float(row[-1]) < 0.85 * np.abs(np.diff(temperatures[-226:])).mean()


@pytest.mark.slow
def test_words_tell_the_mood(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(ROOT / "examples/reviews.nn"), "--quiet"]) == 0
    row = next(line.split() for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["mood"])
    assert float(row[-1]) >= 0.95
