"""What one does with a run: predict, evaluate, go on, compare."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from nndsl.cli.main import main

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    return tmp_path


PARTS = """model Parts {
    options { float = %s }
    input x: float[4]
    code = x -> Dense(2, activation=tanh)
    output y = code -> Dense(3) with loss=mse
    submodel encoder(x) = code
    submodel decoder(code) = y
    train { steps = 5; batch_size = 20; seed = 3 }
    data { source p = npz("p.npz") with test=0.2; x = p.x; y = p.y }
}
"""


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_submodels_of_what_goes_in_and_of_what_is_between(dtype: str, folder: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez("p.npz", x=rng.normal(size=(50, 4)), y=rng.normal(size=(50, 3)))
    Path("parts.nn").write_text(PARTS % dtype)
    assert main(["run", "parts.nn", "-o", "a", "--quiet"]) == 0
    assert main(["predict", "a", "--data", "p.npz", "-o", "whole.npz"]) == 0
    assert main(["predict", "a", "--data", "p.npz", "--submodel", "encoder", "-o", "codes.npz"]) == 0
    assert main(["predict", "a", "--data", "codes.npz", "--submodel", "decoder", "-o", "again.npz"]) == 0
    whole, again = np.load("whole.npz")["y"], np.load("again.npz")["y"]
    assert whole.dtype == again.dtype == dtype
    np.testing.assert_array_equal(again, whole)


def test_weights_of_bfloat16_are_refused_before_training(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("parts.nn").write_text(PARTS % "bfloat16")
    assert main(["run", "parts.nn", "--data", "random"]) == 2
    assert "precision = bfloat16" in capsys.readouterr().err
    assert not Path("runs").exists()


WORDS = """model Words {
    input x: float[1]
    output sure = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy
    output raw = x -> Dense(1) with loss=binary_crossentropy(from_logits=true)
    output bare = x -> Dense(1, activation=sigmoid) with loss=binary_crossentropy
    train { optimizer = SGD(1.0); epochs = 40; batch_size = 10; seed = 1 }
    data {
        source t = csv("t.csv")
        x = t.x
        sure = t.word -> classes()
        raw = t.word -> classes()
        bare = t.number
    }
}
"""


def test_one_number_decides_between_two_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{x},{'yes' if x > 0 else 'no'},{int(x > 0)}\n" for x in np.linspace(-3, 3, 60))
    Path("t.csv").write_text(f"x,word,number\n{rows}")
    Path("words.nn").write_text(WORDS)
    Path("new.csv").write_text("x\n-2\n2\n")
    assert main(["run", "words.nn", "-o", "a", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["predict", "a", "--data", "new.csv"]) == 0
    low, high = csv.DictReader(capsys.readouterr().out.splitlines())
    assert list(low) == ["sure", "sure_0", "raw", "raw_0", "bare"]
    assert (low["sure"], low["raw"], high["sure"], high["raw"]) == ("no", "no", "yes", "yes")
    assert float(low["sure_0"]) < 0.5 < float(high["sure_0"])
    assert float(low["raw_0"]) < 0 < float(high["raw_0"])


LINE = """model Line {
    input x: float[1]
    output y = x -> Dense(1) with loss=mse
    train { optimizer = SGD(0.1); epochs = 3; batch_size = 20; seed = 1 }
    data { source p = npz("p.npz") with test=0.2; x = p.x; y = p.y }
}
"""


def test_what_was_held_out_is_evaluated_only_while_it_is_known(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.linspace(-1, 1, 100)
    np.savez("p.npz", x=x, y=2 * x)
    Path("line.nn").write_text(LINE)
    assert main(["run", "line.nn", "-o", "a", "--quiet"]) == 0
    assert main(["evaluate", "a"]) == 0
    np.savez("p.npz", x=x[:50], y=2 * x[:50])
    capsys.readouterr()
    assert main(["evaluate", "a"]) == 1
    said = capsys.readouterr().err
    assert "NN0610" in said and "--data FILE" in said
    assert main(["evaluate", "a", "--data", "p.npz"]) == 0


def test_fewer_epochs_than_are_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.linspace(-1, 1, 100)
    np.savez("p.npz", x=x, y=2 * x)
    Path("line.nn").write_text(LINE)
    assert main(["run", "line.nn", "-o", "a", "--quiet"]) == 0
    assert main(["run", "--resume", "a", "--epochs", "2"]) == 0
    assert "no step is left to take: 3 epochs are done already" in capsys.readouterr().out


WAVES = """model Waves {
    input x: float[10, 1]
    output y = x -> SimpleRNN(4, return_sequences=true) -> Dense(1) with loss=mse
    train { steps = 6; batch_size = 8; seed = 1 }
    data { source wave = function("cos", of="sin"); x = wave.sin; y = wave.cos }
}
"""


def test_a_made_series_is_trained_on_for_longer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("waves.nn").write_text(WAVES)
    assert main(["run", "waves.nn", "-o", "a", "--quiet"]) == 0
    assert main(["run", "--resume", "a", "--steps", "9", "--quiet"]) == 0
    assert json.loads(Path("a/run.json").read_text())["steps"] == 9
    capsys.readouterr()
    assert main(["runs", "a"]) == 0
    said = capsys.readouterr().out
    assert "9 steps" in said
    assert "there is no" not in said, "nothing was held out, so there are no metrics"


def test_cross_validations_are_listed_and_compared_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.linspace(-1, 1, 100)
    np.savez("p.npz", x=x, y=2 * x)
    folds = LINE.replace("seed = 1", "seed = 1; cross_validation = KFold(2)").replace(" with test=0.2", "")
    Path("line.nn").write_text(folds)
    for _ in range(2):
        assert main(["run", "line.nn", "--epochs", "1", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["runs"]) == 0
    assert "there is no" not in capsys.readouterr().out, "a cross-validation has no history, and need not have one"
    assert main(["runs", "line-1", "line-2"]) == 0
    assert "line-2" in capsys.readouterr().out
