"""`nndsl verify` on the command line: its forms, its exit codes, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nndsl.cli.main import main
from nndsl.interop import verify, workers
from nndsl.interop.safetensors_file import save_weights
from nndsl.interop.verify_compare import Difference, Row
from nndsl.interop.verify_text import as_json, text
from tests.verify.planting import plant, written

ROOT = Path(__file__).parents[2]
SMALL = """\
model Small {
    input x: float[4]
    output y = x -> Dense(3, activation=tanh) -> Dropout(0.5) -> Dense(2) with loss=mse, metrics=[mae]
    train { optimizer = SGD(learning_rate=0.125) }
}
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.nn"
    path.write_text(SMALL)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["verify", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_as_json_with_weights_of_a_file(run: Run, small: Path, tmp_path: Path) -> None:
    shapes = {"y_dense/kernel": (4, 3), "y_dense/bias": (3,), "y/kernel": (3, 2), "y/bias": (2,)}
    save_weights(str(tmp_path / "w.safetensors"), {k: np.ones(s, "float32") for k, s in shapes.items()}, model="Small")
    code, out, err = run(small, "--format", "json", "--steps", "6", "--weights", tmp_path / "w.safetensors")
    assert code == 0, (out, err)
    found = json.loads(out)
    assert found["model"] == "Small" and found["holds"] and found["steps"] == 6 and found["parameters"] == 23
    assert set(found["versions"]) == {"torch", "keras", "tensorflow"}
    checks = {(check["check"], check["float"]): check for check in found["checks"]}
    assert list(checks) == [
        ("outputs", "float64"), ("extreme values", "float64"), ("losses and metrics", "float64"),
        ("gradients", "float64"), ("loss of each step", "float64"), ("reports of training", "float64"),
        ("weights after training", "float64"), ("outputs", "float32"), ("extreme values", "float32"),
        ("losses and metrics", "float32"), ("gradients", "float32"), ("loss of each step", "float32"),
    ]  # fmt: skip
    for check in checks.values():
        assert check["status"] == "ok" and check["failures"] == [] and check["compared"] > 0, check
        assert set(check["worst"]) == {"where", "place", "absolute", "relative", "tolerance", "note"}
    # Six steps of training: were they not all compared, or nothing trained, this would not be so.
    assert checks["loss of each step", "float64"]["compared"] == 6
    assert checks["weights after training", "float64"]["compared"] == 4


@pytest.mark.slow
def test_a_difference_is_exit_code_1(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, written("nn.Dropout(0.5)", "nn.Dropout(0.25)"))
    code, out, err = run(small, "--float", "float64", "--steps", "2")
    assert code == 1 and err == ""
    assert "gradients               float64" in out and "FAILED" in out
    assert "`Small` is not the same in PyTorch" in out.splitlines()[-1]


def test_a_wrong_file_is_exit_code_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.nn").write_text(SMALL.replace("Dense(2)", "Dens(2)"))
    code, out, err = run(tmp_path / "wrong.nn")
    assert code == 1 and out == "" and "error[NN0202]" in err


def test_weights_that_cannot_be_used(run: Run, small: Path, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    code, out, err = run(small, "--weights", path)
    assert code == 1 and out == "" and f"error[NN0701]: there is no file {path}" in err
    path.write_bytes(b"no weights")
    code, out, err = run(small, "--weights", path)
    assert code == 1 and out == "" and "error[NN1001]" in err
    save_weights(str(path), {"y/kernel": np.zeros((2, 3)), "z/kernel": np.zeros(1)}, model="Small")
    code, out, err = run(small, "--weights", path)
    assert code == 1 and out == "" and "error[NN1002]" in err and "missing: `y_dense/kernel` [4, 3]" in err
    code, out, err = run(small, "--weights", "w.onnx")
    assert code == 2 and "has no ending that says what it is" in err


@pytest.mark.parametrize(("module", "extra"), [("tensorflow", "keras"), ("torch", "torch"), ("keras", "keras")])
def test_a_framework_that_is_missing(
    run: Run, small: Path, monkeypatch: pytest.MonkeyPatch, module: str, extra: str
) -> None:
    find = workers.importlib.util.find_spec
    monkeypatch.setattr(workers.importlib.util, "find_spec", lambda name: None if name == module else find(name))
    code, out, err = run(small)
    assert code == 2 and out == ""
    assert f"error: `nndsl verify` needs {module}, which is not installed" in err
    assert f"help: install it: pip install 'nndsl[{extra}]'" in err


def test_a_program_that_ends_the_process(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ending = 'print("over and out", flush=True)\nimport os\nos._exit(5)\nimport torch\n'
    plant(monkeypatch, written("import torch\n", ending))
    code, out, err = run(small, "--float", "float64")
    assert code == 3 and out == ""
    assert "error: the process of the torch program ended with exit code 5" in err and "| over and out" in err


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_the_workers_and_leaves_nothing(small: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nndsl", "verify", str(small)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not list(temporary.glob("nndsl-*/*/request.json")) and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and out == "" and err == ""
    assert not list(temporary.glob("nndsl-*"))


# ------------------------------------------------------------------------------------------------------ the table


def report(*rows: Row) -> verify.Report:
    versions = {"torch": "2.13.0", "keras": "3.15.1", "tensorflow": "2.21.0"}
    return verify.Report("Small", list(rows), versions, 20, 0)


FINE = Row("outputs", "float64", "ok", [Difference("`y`, batch 3", 2.5e-16, 1e-16, 2.5e-10, 2.5, (1, 0))])
BROKEN = Row(
    "gradients",
    "float64",
    "failed",
    [
        Difference("`y/kernel`", 0.5, 0.25, 2e-10, 2.0, (0, 1)),
        Difference("`y/bias`", float("inf"), float("inf"), 1e-10, 1.0, (), "NaN or infinite in one program alone"),
        Difference("input `x`", 0.0, 0.0, 1e-10, 1.0, (0, 0)),
    ],
)
LEFT_OUT = Row("building", "float32", "not run", note="Keras: there is no kernel")


def plain(role: str, words: str) -> str:
    return words


def test_the_table() -> None:
    assert (
        text(report(FINE, BROKEN, LEFT_OUT), plain)
        == """\
check      float    absolute  relative  allowed  where
outputs    float64  2.5e-16   1.0e-16   1.0e-10  `y`, batch 3[1, 0]  ok
gradients  float64  5.0e-1    2.5e-1    1.0e-10  `y/kernel`[0, 1]    FAILED
building   float32                                                   not run

  gradients, float64: 2 of 3 differ by too much
    `y/kernel`: 5.0e-1, allowed are 2.0e-10
    `y/bias`: NaN or infinite in one program alone

  building, float32: Keras: there is no kernel

`Small` is not the same in PyTorch 2.13.0 and Keras 3.15.1 (TensorFlow 2.21.0): 1 of 2 checks FAILED; 1 not run
"""
    )
    assert text(report(FINE, LEFT_OUT), plain).endswith(
        "`Small` is the same in PyTorch 2.13.0 and Keras 3.15.1 (TensorFlow 2.21.0): 1 check holds, 20 steps of "
        "training; 1 not run\n"
    )


def test_numbers_that_json_does_not_know() -> None:
    found = json.loads(as_json(report(BROKEN)))
    assert not found["holds"] and found["checks"][0]["failures"][1]["absolute"] is None
    assert [failure["where"] for failure in found["checks"][0]["failures"]] == ["y/kernel", "y/bias"]
