"""`nndsl weights show` and `diff`, and `nndsl run --weights`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.cli.main import main

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

TEXT = """model Line {
    input x: float[2]
    output y = x -> Dense(3, activation=tanh) -> BatchNormalization() -> Dense(1) with loss=mse
    train { optimizer = Adam(ExponentialDecay(0.05, 10, 0.8)); epochs = 4; batch_size = 16; shuffle = false; seed = 1 }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    Path("line.nn").write_text(TEXT, encoding="utf-8")
    x = np.random.default_rng(0).normal(size=(60, 2))
    np.savez("points.npz", x=x, y=x.sum(-1) + 2)
    return tmp_path


def _write(path: str, *, state: bool = True, **changed: Any) -> None:
    from nndsl.interop.safetensors_file import save_weights

    values = {
        "y_dense/kernel": np.arange(6, dtype="float32").reshape(2, 3) / 4,
        "y_dense/bias": np.zeros(3, "float32"),
        "y/kernel": np.full((3, 1), 0.1, "float32"),
    }
    kept = {"optimizer/iterations": np.asarray(7), "optimizer/y/kernel/momentum": np.ones((3, 1), "float32")}
    save_weights(path, {**values, **changed}, kept if state else {}, model="Line", optimizer="Adam")


def test_show(folder: Path, golden: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _write("a.safetensors", **{"y/bias": np.array([np.nan], "float32")})
    assert main(["weights", "show", "a.safetensors"]) == 0
    golden("golden/show.txt", capsys.readouterr().out)
    assert main(["weights", "show", "a.safetensors", "--format", "json"]) == 0
    out = capsys.readouterr().out
    golden("golden/show.json", out)
    assert json.loads(out)["parameters"] == 13


def test_diff(folder: Path, golden: Any, capsys: pytest.CaptureFixture[str]) -> None:
    kernel = np.full((3, 1), 0.1, "float32")
    kernel[1] += 1e-3
    _write("a.safetensors", state=False)
    _write("b.safetensors", **{"y/kernel": kernel, "y_dense/bias": np.zeros(4, "float32")})
    assert main(["weights", "diff", "a.safetensors", "a.safetensors"]) == 0
    assert capsys.readouterr().out == "3 equal\n"
    assert main(["weights", "diff", "a.safetensors", "b.safetensors"]) == 1
    golden("golden/diff.txt", capsys.readouterr().out)
    assert main(["weights", "diff", "a.safetensors", "b.safetensors", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [item["kind"] for item in found["weights"]] == ["different", "shape", "equal", "second", "second"]
    _write("c.safetensors", **{"y/kernel": kernel})
    arguments = ["weights", "diff", "a.safetensors", "c.safetensors", "--weights-only", "--tolerance"]
    assert main([*arguments, "0.01"]) == 0 and main([*arguments, "0.0001"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("3 equal, within 0.001\n") and "1 of 3 differ" in out


def test_values_that_are_no_numbers_equal_themselves_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write("a.safetensors", **{"y/kernel": np.full((3, 1), np.nan, "float32")})
    _write("b.safetensors")
    assert main(["weights", "diff", "a.safetensors", "a.safetensors"]) == 0
    assert main(["weights", "diff", "a.safetensors", "b.safetensors", "--tolerance", "9", "--format", "json"]) == 1
    assert '"absolute": null' in capsys.readouterr().out


def test_a_run_goes_on_from_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four epochs at once, and two after two, over a file of either kind."""
    run = ["run", "line.nn", "--data", "points.npz", "--quiet", "--device", "cpu"]
    assert main([*run, "-o", "whole"]) == 0
    assert main([*run, "--epochs", "2", "-o", "half"]) == 0
    half, whole = "half/weights.safetensors", "whole/weights.safetensors"
    assert main(["weights", "convert", "line.nn", half, "half.pt"]) == 0
    for name in (half, "half.pt"):
        rest = f"rest-{os.path.splitext(name)[1][1:]}"
        assert main([*run, "--epochs", "2", "--weights", name, "-o", rest]) == 0
        assert main(["weights", "diff", f"{rest}/weights.safetensors", whole]) == 0, capsys.readouterr()
    assert main(["weights", "diff", half, whole]) == 1


def test_a_run_from_a_wrong_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write("short.safetensors")
    run = ["run", "line.nn", "--data", "points.npz", "-o", "out", "--weights"]
    assert main([*run, "short.safetensors"]) == 1
    assert "error[NN1002]: short.safetensors does not fit `Line`" in capsys.readouterr().err
    assert main([*run, "none.pt"]) == 1
    assert "error[NN0701]" in capsys.readouterr().err
    assert main([*run, "none"]) == 2
    Path("line.nn").write_text(TEXT.replace("epochs = 4", "epochs = 4; cross_validation = KFold(3)"))
    assert main([*run, "short.safetensors"]) == 2
    assert "leave --weights out" in capsys.readouterr().err
    assert not Path("out").exists()
