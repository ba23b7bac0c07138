"""Losses that are lost, and memory that is full: the message names step and layer, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nndsl.cli.main import main
from nndsl.runtime.reports import write

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

MODEL = """model Lost {
    input x: float[4]
    first = x -> Dense(4) -> BODY
    output y = first -> Dense(1) with loss=mse
    train { optimizer = SGD(RATE); epochs = 20; batch_size = 8; seed = 1; shuffle = false }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(write, "write_reports", lambda *_, **__: [])
    torch.set_num_threads(1)
    x = np.random.default_rng(0).normal(size=(80, 4))
    np.savez("data.npz", x=x, y=x.sum(1))
    return tmp_path


def lost(body: str, rate: str, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    Path("lost.nn").write_text(MODEL.replace("BODY", body).replace("RATE", rate))
    assert main(["run", "lost.nn", "--data", "data.npz", "--quiet", "-o", "run", *more]) == 1
    about = json.loads(Path("run/run.json").read_text())
    assert about["status"] == "failed"
    error = capsys.readouterr().err
    assert "NN0609" in error and about["reason"] in error
    return error


def test_the_layer_and_the_step_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # exp overflows float32 beyond 88.7
    error = lost("Rescaling(1000) -> Activation(exponential)", "0.001", capsys)
    assert "step 1" in error or "step 2" in error
    line = int(error.split("first in line ")[1].split()[0])
    text = Path("run/model.py").read_text().splitlines()[line - 1].strip()
    assert "torch.exp" in text and f"line {line} of run/model.py, `{text}`" in error
    assert "the weights of step 0, the last good ones kept, are in run" in error


def test_the_layer_in_the_file_is_underlined(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = lost("Rescaling(0, 3e38) -> Dense(3, kernel_initializer=ones)", "0.001", capsys)
    assert "first the output of `first`" in error  # four times 3e38 is more than float32 holds
    assert "lost.nn:3:" in error and "here the first number was lost" in error


def test_the_step_is_that_of_the_first_bad_number(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("lost.nn").write_text(MODEL.replace("BODY", "Dense(4)").replace("RATE", "0.9"))
    error = lost("Dense(4)", "0.9", capsys, "--checkpoint-every", "2")
    step = int(error.split("from step ")[1].split()[0])
    kept = int(error.split("weights of step ")[1].split(",")[0])
    assert 0 <= step - 1 - kept <= 2, "the checkpoint before it is the one that is kept"
    from safetensors.numpy import load_file

    assert all(np.isfinite(array).all() for array in load_file("run/weights.safetensors").values())
    assert main(["run", "lost.nn", "--data", "data.npz", "--quiet", "-o", "short", "--steps", str(step - 1)]) == 0
    assert main(["run", "lost.nn", "--data", "data.npz", "--quiet", "-o", "long", "--steps", str(step)]) == 1


def test_a_full_memory_names_the_batch_that_fits(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nndsl.runtime import torch_build

    real = torch_build.TorchEngine.__init__

    def small(self: torch_build.TorchEngine, *arguments: object, **options: object) -> None:
        real(self, *arguments, **options)  # type: ignore[arg-type]
        measure = self.program.measure

        def limited(net: object, batch: dict[str, torch.Tensor]) -> object:
            if len(batch["x"]) > 19:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
            return measure(net, batch)

        monkeypatch.setattr(self.program, "measure", limited)

    monkeypatch.setattr(torch_build.TorchEngine, "__init__", small)
    Path("lost.nn").write_text(MODEL.replace("BODY", "Dense(4)").replace("RATE", "0.01"))
    assert main(["run", "lost.nn", "--data", "data.npz", "--quiet", "-o", "run", "--batch-size", "64"]) == 1
    error = capsys.readouterr().err
    assert "does not hold a batch of 64" in error
    assert "a batch of 16 fits: `--batch-size 16`" in error
    assert json.loads(Path("run/run.json").read_text())["status"] == "failed"
    assert main(["run", "lost.nn", "--data", "data.npz", "--quiet", "-o", "fits", "--batch-size", "16"]) == 0


def test_weights_that_are_lost_before_the_loss_are_not_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from safetensors.numpy import load_file

    # The step after which the weights are infinite is saved: its own loss was still a number.
    with np.load("data.npz") as file:
        np.savez("data.npz", x=1000 * file["x"], y=file["y"])
    error = lost("Dense(4)", "1e38", capsys, "--checkpoint-every", "1")
    assert "the weights of step 0, the last good ones kept" in error
    assert all(np.isfinite(array).all() for array in load_file("run/weights.safetensors").values())


def test_steps_that_float16_leaves_out_are_not_lost(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def steps(count: int) -> int:
        arguments = ["run", "lost.nn", "--data", "data.npz", "--quiet", "-o", f"of-{count}", "--steps", str(count)]
        return main([*arguments, "--precision", "float16"])

    # The first scales are too large for such gradients; later the weights grow beyond float16.
    error = lost("Rescaling(3000)", "10", capsys, "--precision", "float16")
    step = int(error.split("from step ")[1].split()[0])
    assert step > 5 and "first the output of" in error
    assert steps(step - 1) == 0 and steps(step) == 1


def test_weights_that_the_last_step_loses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from safetensors.numpy import load_file

    with np.load("data.npz") as file:
        np.savez("data.npz", x=1000 * file["x"], y=file["y"])
    error = lost("Dense(4)", "1e38", capsys, "--steps", "1")  # no loss has seen them
    assert "from step 1 on: first a weight of" in error
    assert all(np.isfinite(array).all() for array in load_file("run/weights.safetensors").values())


def test_numbers_that_are_not_chosen_are_not_lost(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layer = "layer Chosen() {\n    input x\n    output y = where(x > 0, log(x), 0 * x)\n}\n"
    Path("lost.nn").write_text(layer + MODEL.replace("BODY", "Chosen() -> Dense(4)").replace("RATE", "40"))

    def run(steps: int) -> int:
        return main(["run", "lost.nn", "--data", "data.npz", "--quiet", "-o", f"of-{steps}", "--steps", str(steps)])

    assert run(100) == 1
    error = capsys.readouterr().err
    step = int(error.split("from step ")[1].split()[0])
    assert step > 3 and "torch.log" not in error
    assert run(step - 1) == 0 and run(step) == 1


def test_penalties_have_their_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = lost("Dense(4, kernel_initializer=Constant(100), kernel_regularizer=L2(1e38))", "0.001", capsys)
    assert "weight.square().sum()`" in error and "from step 1 on" in error
