"""A run that was stopped, in whatever way, goes on from its folder and ends as an undisturbed one, to the bit."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nndsl.cli.main import main
from nndsl.runtime.reports import write

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

ROOT = Path(__file__).parents[2]
# Everything that has a state of its own: dropout with and without a seed, moving statistics, an optimizer with slots,
# counters, averages and gathered gradients, and a callback that keeps the best weights.
MODEL = """model Small {
    input x: float[6]
    output y = x -> Dense(8, activation=relu) -> BatchNormalization() -> Dropout(0.3) -> Dropout(0.1, seed=4)
        -> Dense(3, activation=softmax) with loss=sparse_categorical_crossentropy, metrics=[accuracy]
    train {
        optimizer = Adam(0.01, clipnorm=1.0, use_ema=true, gradient_accumulation_steps=2)
        epochs = 8; batch_size = 16; seed = 5
        callbacks = [EarlyStopping(patience=20, restore_best_weights=true),
                     ReduceLROnPlateau(patience=1, min_delta=0.1)]
    }
    data {
        source points = npz("points.npz") with test=0.2, validation=0.2, seed=1
        x = points.x -> standardize()
        y = points.y
    }
}
"""
STATEFUL = """model Stream {
    input x: float[5, 2] with batch=4
    output y = x -> LSTM(3, stateful=true) -> Dense(1) with loss=mse
    train { optimizer = RMSprop(0.01); steps = 30; evaluate_every = 7; seed = 2; reset_state = never }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(write, "write_reports", lambda *_, **__: [])  # pictures have tests of their own, and take time
    torch.set_num_threads(1)
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(200, 6))
    np.savez("points.npz", x=x, y=(x[:, 0] > 0).astype(int) + (x[:, 1] > 1))
    Path("small.nn").write_text(MODEL)
    Path("stream.nn").write_text(STATEFUL)
    return tmp_path


def weights(run: str) -> bytes:
    return Path(run, "weights.safetensors").read_bytes()


def history(run: str) -> list[list[str]]:
    rows = [line.split(",") for line in Path(run, "history.csv").read_text().splitlines()]
    timed = rows[0].index("seconds")
    return [row[:timed] + row[timed + 1 :] for row in rows]


def about(run: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(Path(run, "run.json").read_text())
    return found


def start(*arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "nndsl", "run", *arguments], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [["small.nn"], ["stream.nn", "--data", "random"]], ids=["small", "stream"])
def test_a_run_goes_on_from_any_checkpoint(
    arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nndsl.runtime import checkpoints

    monkeypatch.setattr(checkpoints, "KEPT", 1000)
    assert main(["run", *arguments, "--checkpoint-every", "1", "-o", "whole"]) == 0
    kept = sorted(Path("whole/checkpoints").iterdir())
    assert len(kept) > 30
    for checkpoint in [kept[1], kept[len(kept) // 2 + 1], kept[-1]]:
        shutil.rmtree("again", ignore_errors=True)
        shutil.copytree("whole", "again")
        for other in Path("again/checkpoints").iterdir():
            if other.name > checkpoint.name:
                other.unlink()
        Path("again/weights.safetensors").unlink()
        assert main(["run", "--resume", "again"]) == 0
        assert weights("again") == weights("whole"), checkpoint.name
        assert history("again") == history("whole"), checkpoint.name
    assert "goes on from step" in capsys.readouterr().out


def test_after_ctrl_c(folder: Path) -> None:
    assert main(["run", "small.nn", "--epochs", "400", "-o", "whole", "--quiet"]) == 0
    process = start("small.nn", "--epochs", "400", "-o", "part")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch"):
            break
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "nndsl run --resume part" in out
    assert about("part")["status"] == "interrupted"
    assert main(["run", "--resume", "part", "--quiet"]) == 0
    assert weights("part") == weights("whole")
    assert about("part")["status"] == "finished"


def kill(folder: Path, times: int) -> None:
    """Kills a run at random moments; each time it goes on to the same end."""
    moments = random.Random(3)
    begun = time.monotonic()
    first = start("small.nn", "--epochs", "60", "--checkpoint-every", "3", "-o", "whole")
    assert first.communicate()[1] == ""
    longest = time.monotonic() - begun
    trained = 0
    for _ in range(times):
        shutil.rmtree("part", ignore_errors=True)
        process = start("small.nn", "--epochs", "60", "--checkpoint-every", "3", "-o", "part")
        while not list(Path("part").glob("checkpoints/step*")) and process.poll() is None:
            time.sleep(0.005)
        time.sleep(moments.uniform(0, longest / 2))
        process.kill()
        process.communicate()
        trained += about("part")["status"] == "running"
        assert main(["run", "--resume", "part", "--quiet"]) == 0
        assert weights("part") == weights("whole")
        assert history("part") == history("whole")
        assert not list(Path("part").rglob(".*.tmp"))
    assert trained > times / 4  # most were killed in the middle of it


def test_killed(folder: Path) -> None:
    kill(folder, 1)


@pytest.mark.slow
def test_killed_a_hundred_times(folder: Path) -> None:
    kill(folder, 100)


def test_a_damaged_checkpoint_is_passed_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "small.nn", "--checkpoint-every", "4", "-o", "whole", "--quiet"]) == 0
    shutil.copytree("whole", "part")
    newest = max(Path("part/checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-7])
    assert main(["run", "--resume", "part"]) == 0
    assert f"note: {newest} is damaged and is passed over" in capsys.readouterr().out
    assert weights("part") == weights("whole")
    for checkpoint in Path("part/checkpoints").iterdir():
        checkpoint.write_bytes(b"")
    assert main(["run", "--resume", "part"]) == 2
    assert "no checkpoint that can be read" in capsys.readouterr().err


def test_a_finished_run_can_go_on_for_longer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "small.nn", "-o", "whole", "--quiet"]) == 0
    assert main(["run", "small.nn", "-o", "short", "--quiet", "--epochs", "3"]) == 0
    assert main(["run", "--resume", "short", "--quiet", "--epochs", "8"]) == 0
    assert weights("short") == weights("whole")
    assert main(["run", "--resume", "short", "--steps", "8"]) == 2
    assert "counts epochs" in capsys.readouterr().err


def test_the_program_and_the_data_of_the_run_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "small.nn", "-o", "part", "--quiet", "--epochs", "3"]) == 0
    before = Path("small.nn").read_text()
    Path("small.nn").write_text("this is no model")
    assert main(["run", "--resume", "part", "--quiet", "--epochs", "4"]) == 0
    with np.load("points.npz") as file:
        np.savez("points.npz", x=file["x"] + 1, y=file["y"])
    capsys.readouterr()
    assert main(["run", "--resume", "part", "--epochs", "5"]) == 1
    assert "NN0610" in capsys.readouterr().err
    Path("points.npz").unlink()
    assert main(["run", "--resume", "part", "--epochs", "5"]) == 1
    error = capsys.readouterr().err
    assert "NN0603" in error and "points.npz" in error
    assert before


def test_what_cannot_go_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "small.nn", "-o", "part", "--quiet", "--epochs", "2"]) == 0
    for arguments, words in (
        (["--resume", "nowhere"], "there is no folder `nowhere`"),
        (["--resume", "."], "is not the folder of a run"),
        (["small.nn", "--resume", "part"], "FILE cannot be given with --resume"),
        (["--resume", "part", "--seed", "3", "--batch-size", "4"], "--batch-size, --seed cannot be given"),
        ([], "a file is missing"),
        (["small.nn", "-o", "part"], "the folder `part` is not empty"),
    ):
        assert main(["run", *arguments]) == 2, arguments
        assert words in capsys.readouterr().err, arguments
    for name, text in (("run.json", "{"), ("run.json", '{"main": "small.nn"}'), ("program/small.nn", "")):
        shutil.rmtree("broken", ignore_errors=True)
        shutil.copytree("part", "broken")
        Path("broken", name).write_text(text)
        assert main(["run", "--resume", "broken"]) in (1, 2)
        assert "error" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["run", "--resume"], ["evaluate"]], ids=["resume", "evaluate"])
def test_a_run_json_of_a_stranger(command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever one of its values is, it is told, or does no harm."""
    assert main(["run", "small.nn", "-o", "part", "--quiet", "--epochs", "1"]) == 0
    kept = about("part")
    for name in kept:
        for value in (None, 3, "../..", [], {}, {"seed": "x", "epochs": None, "data": 5}):
            Path("part/run.json").write_text(json.dumps({**kept, name: value}))
            assert main([*command, "part"]) in (0, 1, 2), (name, value, capsys.readouterr().err)
    options = kept["options"]
    assert isinstance(options, dict)
    for name in options:
        for value in (None, -3, "../..", "cuda:x", True, [], 0.5):
            Path("part/run.json").write_text(json.dumps({**kept, "options": {**options, name: value}}))
            assert main([*command, "part"]) in (0, 1, 2), (name, value, capsys.readouterr().err)


def test_two_processes_do_not_share_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nndsl.runtime.run_folder import RunFolder

    assert main(["run", "small.nn", "-o", "part", "--quiet", "--epochs", "2"]) == 0
    other = RunFolder.open("part")
    other.lock()
    try:
        assert main(["run", "--resume", "part", "--epochs", "3"]) == 2
    finally:
        other.unlock()
    assert "another process works in `part`" in capsys.readouterr().err


def test_a_full_disk(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from nndsl.runtime import checkpoints

    real, saved = checkpoints.write_bytes, []

    def full(path: str, data: bytes, **options: bool) -> None:
        saved.append(path)
        if len(saved) == 4:
            from nndsl.files import CannotWrite

            raise CannotWrite(f"`{path}` cannot be written: no space left on device")
        real(path, data, **options)

    monkeypatch.setattr(checkpoints, "write_bytes", full)
    assert main(["run", "small.nn", "--checkpoint-every", "4", "-o", "part", "--quiet"]) == 2
    assert "no space left on device" in capsys.readouterr().err
    assert about("part")["status"] == "failed" and "no space" in str(about("part")["reason"])
    monkeypatch.setattr(checkpoints, "write_bytes", real)
    assert main(["run", "--resume", "part", "--quiet"]) == 0
    assert main(["run", "small.nn", "-o", "whole", "--quiet"]) == 0
    assert weights("part") == weights("whole")


@pytest.mark.parametrize(
    ("callback", "obstacle"),
    [
        ('CSVLogger("files/log.csv")', "mkdir files files/log.csv"),
        ('ModelCheckpoint("files/best.weights.h5", save_weights_only=true)', "touch files"),
        ('ModelCheckpoint("files/best.weights.h5", save_weights_only=true)', "mkdir files files/best.pt.part"),
        ('TensorBoard("files")', "touch files"),
    ],
)
def test_files_of_callbacks_that_cannot_be_written(
    callback: str, obstacle: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: subprocess.run(obstacle.split(), cwd="part", check=True))
    Path("small.nn").write_text(MODEL.replace("callbacks = [", f"callbacks = [{callback}, "))
    assert main(["run", "small.nn", "-o", "part", "--quiet"]) == 2
    error = capsys.readouterr().err
    assert ("cannot be written" in error and "part/files" in error) or "the files of callbacks" in error
    assert about("part")["status"] == "failed"
    shutil.rmtree("part/files") if obstacle.startswith("mkdir") else Path("part/files").unlink()
    assert main(["run", "--resume", "part", "--quiet"]) == 0
    assert main(["run", "small.nn", "-o", "whole", "--quiet"]) == 0
    assert weights("part") == weights("whole")


def test_a_folder_that_is_gone_is_not_made_anew(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: Path("part").rename("elsewhere"))
    assert main(["run", "small.nn", "-o", "part", "--quiet"]) == 2
    assert "the folder `part` of the run is gone" in capsys.readouterr().err
    assert not Path("part").exists()
    assert main(["run", "--resume", "elsewhere", "--quiet"]) == 0
    Path("elsewhere/checkpoints").rename("elsewhere/kept")
    Path("elsewhere/checkpoints").touch()
    assert main(["run", "--resume", "elsewhere", "--quiet"]) == 2
    assert "has no checkpoint that can be read" in capsys.readouterr().err


@pytest.mark.parametrize("name", [".lock", "history.csv", "checkpoints"])
def test_links_that_lead_out_of_a_run(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "small.nn", "-o", "part", "--quiet", "--epochs", "1"]) == 0
    place = Path("part", name)
    Path("outside").write_text("precious")
    shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    place.symlink_to(Path("outside").absolute())
    assert main(["run", "--resume", "part", "--epochs", "2"]) == 2
    assert f"`{place}` is a link" in capsys.readouterr().err
    assert Path("outside").read_text() == "precious"


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Something happens once, behind the first checkpoint."""
    from nndsl.runtime.checkpoints import Checkpoints

    real = Checkpoints.save

    def save(self: Checkpoints, step: int, tree: object) -> str:
        monkeypatch.setattr(Checkpoints, "save", real)
        path = real(self, step, tree)
        happens()
        return path

    monkeypatch.setattr(Checkpoints, "save", save)
