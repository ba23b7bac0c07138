"""Workers: what goes there and comes back, and what happens when one fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from nndsl.interop import workers

WORKER = """
import os, sys
import numpy as np
from nndsl.interop.worker import Job, serve

def work(job):
    program = job.load_program()
    job.say("working")
    if "import" in job.data:
        __import__(job.data["import"])
    if "exit" in job.data:
        print("it is broken")
        os._exit(job.data["exit"])
    if "signal" in job.data:
        os.kill(os.getpid(), job.data["signal"])
    if "wait" in job.data:
        import time
        open(job.data["wait"], "w").write(f"{os.getpid()} {job.folder}")
        time.sleep(60)
    return {"answer": program.ANSWER, "cwd": os.getcwd()}, {k: v * 2 for k, v in job.arrays.items()}

if __name__ == "__main__":
    serve(work)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "echo_worker.py").write_text(WORKER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return "echo_worker"


def task(module: str, **request: object) -> workers.Task:
    return workers.Task("torch", module, "ANSWER = 'ü'", request, {"a/b é": np.arange(3.0), "file": np.zeros(())})


def left(folder: Path) -> list[Path]:
    return list(folder.glob("nndsl-*"))


def test_data_and_arrays_come_back(module: str, tmp_path: Path) -> None:
    heard: list[tuple[str, str]] = []
    first, second = workers.run([task(module), task(module)], lambda kind, text: heard.append((kind, text)))
    assert first.data["answer"] == second.data["answer"] == "ü"
    assert np.array_equal(first.arrays["a/b é"], [0.0, 2.0, 4.0]) and first.arrays["file"].shape == ()
    assert first.data["cwd"] != second.data["cwd"]
    assert ("torch", "working") in heard
    assert not left(tmp_path)


def test_a_worker_that_breaks(module: str, tmp_path: Path) -> None:
    with pytest.raises(workers.WorkerFailed, match="ended with exit code 7") as failed:
        workers.run([task(module, exit=7)])
    assert failed.value.printed == "" or "it is broken" in failed.value.printed
    with pytest.raises(workers.WorkerFailed, match="was ended by SIGKILL"):
        workers.run([task(module, signal=int(signal.SIGKILL))])
    with pytest.raises(workers.WorkerFailed) as failed:
        workers.run([task(module, **{"import": "no_such_module"})])
    assert "No module named 'no_such_module'" in failed.value.printed
    assert not left(tmp_path)


def test_one_that_breaks_ends_the_others(module: str, tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(workers.WorkerFailed):
        workers.run([task(module, wait=str(tmp_path / "waits")), task(module, exit=1)])
    assert time.monotonic() - begun < 30
    assert not left(tmp_path)


def test_a_framework_that_is_missing(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = workers.importlib.util.find_spec
    monkeypatch.setattr(workers.importlib.util, "find_spec", lambda name: None if name == "tensorflow" else find(name))
    with pytest.raises(workers.FrameworkMissing, match="needs tensorflow") as missing:
        workers.run([workers.Task("keras", module, "")])
    assert "nndsl[keras]" in missing.value.help


def test_a_framework_that_cannot_be_imported(module: str, tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text("import keras_is_not_here\n")
    (tmp_path / "keras.py").write_text("raise ModuleNotFoundError('no keras', name='keras')\n")
    with pytest.raises(workers.FrameworkMissing, match="needs keras"):
        workers.run([task(module, **{"import": "keras"})])
    with pytest.raises(workers.WorkerFailed):  # what is missing is no framework
        workers.run([task(module, **{"import": "tensorflow"})])


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent(module: str, tmp_path: Path, ended_by: signal.Signals) -> None:
    waits = tmp_path / "waits"
    code = (
        "import tempfile; from nndsl.interop import workers\n"
        f"tempfile.tempdir = {str(tmp_path)!r}\n"
        f"workers.run([workers.Task('torch', {module!r}, 'ANSWER = 1', {{'wait': {str(waits)!r}}})])"
    )
    root = Path(workers.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL)
    try:
        pid, folder = _wait_for(waits).split(" ")
        parent.send_signal(ended_by)
        parent.wait(30)
        end = time.monotonic() + 30
        while _lives(int(pid)) and time.monotonic() < end:
            time.sleep(0.05)
        assert not _lives(int(pid))
        assert ended_by == signal.SIGKILL or not Path(folder).exists()
    finally:
        parent.kill()


def _wait_for(path: Path) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.05)
    raise AssertionError("the worker has not begun")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
