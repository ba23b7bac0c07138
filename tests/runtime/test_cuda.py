"""Runs on a GPU; where there is none, these are passed over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nndsl.cli.main import main
from nndsl.runtime.reports import write

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]

ROOT = Path(__file__).parents[2]
IMAGES = """model Images {
    options { float = DTYPE }
    input image: float[16, 16, 3]
    output label = image -> Conv2D(8, 3, padding=same, activation=relu) -> BatchNormalization() -> MaxPooling2D()
        -> Conv2D(16, 3, activation=relu) -> Flatten() -> Dense(4, activation=softmax)
        with loss=sparse_categorical_crossentropy, metrics=[accuracy]
    train { optimizer = OPTIMIZER; epochs = 3; batch_size = 32; seed = 1 }
}
"""
WORDS = """model Words {
    options { float = DTYPE }
    input words: int[T]
    output y = words -> Embedding(40, 8, mask_zero=true) -> Bidirectional(LSTM(6)) -> Dense(1, activation=sigmoid)
        with loss=binary_crossentropy, metrics=[accuracy, AUC()]
    train { optimizer = OPTIMIZER; epochs = 3; batch_size = 16; seed = 1 }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(write, "write_reports", lambda *_, **__: [])
    numbers = np.random.default_rng(0)
    labels = numbers.integers(0, 4, 300)
    np.savez("images.npz", image=numbers.normal(size=(300, 16, 16, 3)) + labels[:, None, None, None], label=labels)
    words = numbers.integers(0, 40, (200, 9))
    np.savez("words.npz", words=words, y=(words[:, :1] > 20).astype(float))
    return tmp_path


def weights(run: str) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(f"{run}/weights.safetensors")


def write_model(text: str, dtype: str = "float64", optimizer: str = "Adam(0.01)") -> None:
    Path("model.nn").write_text(text.replace("DTYPE", dtype).replace("OPTIMIZER", optimizer))


def run(*arguments: str) -> int:
    return main(["run", "model.nn", "--quiet", *arguments])


@pytest.mark.parametrize(
    "optimizer",
    ["Adam(0.01)", "AdamW(0.01, clipnorm=1.0)", "SGD(0.01, momentum=0.9)", "Adagrad(0.01)", "RMSprop(0.01)"],
)
@pytest.mark.parametrize("text", [IMAGES, WORDS], ids=["images", "words"])
def test_the_gpu_learns_what_the_cpu_learns(text: str, optimizer: str, folder: Path) -> None:
    write_model(text, optimizer=optimizer)
    data = "images.npz" if text == IMAGES else "words.npz"
    for device in ("cpu", "cuda"):
        assert run("--data", data, "--device", device, "-o", device) == 0
    # The initial weights are drawn on the CPU, and are the same.
    for name, array in weights("cpu").items():
        assert np.abs(array - weights("cuda")[name]).max() < 1e-9 * max(np.abs(array).max(), 1), name


def test_a_run_goes_on_to_the_bit(folder: Path) -> None:
    # PyTorch has no code for the gradient of max pooling that repeats itself.
    write_model(IMAGES.replace("MaxPooling2D()", "AveragePooling2D(2) -> Dropout(0.2)"), "float32")
    assert run("--data", "images.npz", "--device", "cuda", "-o", "whole") == 0
    assert run("--data", "images.npz", "--device", "cuda", "-o", "again") == 0
    for name, array in weights("whole").items():
        assert (array == weights("again")[name]).all(), name
    assert run("--data", "images.npz", "--device", "cuda", "-o", "part", "--epochs", "2") == 0
    assert main(["run", "--resume", "part", "--epochs", "3", "--quiet"]) == 0
    for name, array in weights("whole").items():
        assert (array == weights("part")[name]).all(), name
    assert main(["run", "--resume", "part", "--epochs", "4", "--device", "cpu", "--quiet"]) == 0


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision(precision: str, folder: Path) -> None:
    write_model(IMAGES, "float32")
    found = {}
    for name, more in (("full", []), ("half", ["--precision", precision])):
        assert run("--data", "images.npz", "--device", "cuda", "--epochs", "20", "-o", name, *more) == 0
        result = json.loads(Path(name, "metrics.json").read_text())["test"]["outputs"]["label"]
        found[name] = result["metrics"]["accuracy"]
    assert abs(found["full"] - found["half"]) < 0.2 and found["half"] > 0.5
    assert all(np.isfinite(array).all() for array in weights("half").values())


def test_compiled(folder: Path) -> None:
    write_model(IMAGES)
    assert run("--data", "images.npz", "--device", "cuda", "-o", "plain") == 0
    assert run("--data", "images.npz", "--device", "cuda", "--compile", "-o", "compiled") == 0
    for name, array in weights("plain").items():
        assert np.abs(array - weights("compiled")[name]).max() < 1e-9, name


def test_data_that_do_not_fit_on_the_device(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nndsl.runtime import feed

    write_model(IMAGES.replace("MaxPooling2D()", "AveragePooling2D(2)"), "float32")
    assert run("--data", "images.npz", "--device", "cuda", "-o", "whole") == 0
    monkeypatch.setattr(feed, "SHARE", 0.0)
    assert run("--data", "images.npz", "--device", "cuda", "-o", "streamed") == 0
    for name, array in weights("whole").items():
        assert (array == weights("streamed")[name]).all(), name


def test_a_full_memory_names_the_batch_that_fits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wide = IMAGES.replace("float[16, 16, 3]", "float[512, 512, 3]").replace("Conv2D(8,", "Conv2D(512,")
    wide = wide.replace("MaxPooling2D()", "MaxPooling2D(128)").replace("Conv2D(16, 3,", "Conv2D(16, 1,")
    write_model(wide, "float32")
    numbers = np.random.default_rng(0)
    np.savez("images.npz", image=numbers.random((640, 512, 512, 3), np.float32), label=numbers.integers(0, 4, 640))
    assert run("--data", "images.npz", "--device", "cuda", "--batch-size", "512", "-o", "large") == 1
    error = capsys.readouterr().err
    assert "the memory of the GPU does not hold a batch of 512" in error
    fits = error.split("--batch-size ")[1].split("`")[0]
    assert run("--data", "images.npz", "--device", "cuda", "--batch-size", fits, "--epochs", "1", "-o", "fits") == 0


def test_a_gpu_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(IMAGES)
    assert run("--data", "images.npz", "--device", "cuda:77") == 2
    assert "cuda:77" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--shard"]], ids=["replicated", "sharded"])
def test_one_process_of_several_machines(more: list[str], folder: Path) -> None:
    write_model(IMAGES)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "1", "-m", "nndsl"]
    command = [*launch, "run", "model.nn", "--data", "images.npz", "--device", "cuda", "--quiet", "-o", "spread", *more]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert run("--data", "images.npz", "--device", "cuda", "-o", "alone") == 0
    for name, array in weights("alone").items():
        assert np.abs(array - weights("spread")[name]).max() < 1e-9, name


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
