"""Data larger than memory may hold: read through maps, in chunks, at a bounded memory."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.runtime import columns, scratch, tables
from nndsl.runtime.dataset import apply, load
from nndsl.runtime.report import RunFailed
from nndsl.runtime.tables import Table
from tests.runtime.test_data_files import read
from tests.runtime.test_sources import ROOT, arrays, model, two

ARCHIVE = 'source p = npz("p.npz") with test=0.25, seed=3; x = p.x -> scale(0.5) -> standardize(); y = p.y'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes everything large."""
    monkeypatch.setattr(columns, "RESIDENT_BYTES", 100)
    monkeypatch.setattr(columns, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(columns, "LOOK_BYTES", 500)
    monkeypatch.setattr(scratch, "IN_MEMORY", 1000)
    monkeypatch.setattr(tables, "CHUNK", 1000)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_parts_are_the_same_from_a_map(save: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nndsl.runtime import archives

    rng = np.random.default_rng(0)
    save("p.npz", x=np.asfortranarray(rng.normal(5, 2, (1000, 2)).astype(">f4")), y=rng.integers(0, 9, 1000))
    whole = read(two(ARCHIVE))
    small(monkeypatch)
    monkeypatch.setattr(archives, "MAP_FROM", 1000)
    mapped = read(two(ARCHIVE))
    assert whole.train.resident and not mapped.train.resident
    assert mapped.train.nbytes == whole.train.nbytes == 750 * 3 * 4
    places = np.array([3, 700, 4])
    for part in ("train", "validation", "test"):
        for places in (np.array([1, 0, 1]), slice(2, 9)) if part != "validation" else (slice(None),):
            first, second = getattr(whole, part).take(places), getattr(mapped, part).take(places)
            for name in first:
                assert first[name].dtype == second[name].dtype == np.float32
                assert np.allclose(first[name], second[name], rtol=1e-5, atol=1e-6)
    assert np.allclose(whole.learnt["x"][1]["mean"], mapped.learnt["x"][1]["mean"], rtol=1e-12)


def test_a_table_that_outgrows_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(0, 1, (500, 4)).round(3)
    lines = [",".join(map(str, row)) + f",word{number}" for number, row in enumerate(rows)]
    Path("words.csv").write_text("a,b,c,d,e\n" + "\n".join(lines))
    Path("plain.csv").write_text("a,b,c,d\n" + "\n".join(line.rsplit(",", 1)[0] for line in lines))
    small(monkeypatch)
    for name in ("words.csv", "plain.csv"):
        table = Table(name, name)
        assert table.rows == 500
        for key, wanted in (
            ((0, 3), rows[:, [0, 3]]),
            (slice(0, 4), rows),
            ("c", rows[:, 2]),
            ((3, 0, 1), rows[:, [3, 0, 1]]),
        ):
            assert np.array_equal(table.take(key, None), wanted)  # type: ignore[arg-type]


def test_a_bad_value_far_below_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    lines = [f"{n},{n},{n % 3}" for n in range(900)]
    lines[700], lines[800] = "1,nan,0", "1,inf,7"
    Path("t.csv").write_text("a,b,c\n" + "\n".join(lines))
    text = two('source t = csv("t.csv"); x = t[0:2] -> standardize(); y = t[2]')
    with pytest.raises(RunFailed) as failed:
        read(text)
    (problem,) = failed.value.problems
    assert problem.message == "line 702, column 1 (`b`) of t.csv is missing (nan) (1 more like it)"


def test_folds_learn_anew() -> None:
    values = np.random.default_rng(0).normal(3, 2, (40, 2))
    np.savez("p.npz", x=values, y=np.arange(40))
    data = read(two('source p = npz("p.npz"); x = p.x -> standardize(); y = p.y'))
    fold = data.with_folds(np.arange(10, 40), np.arange(10))
    assert fold.learnt["x"][0]["mean"] == pytest.approx(values[10:].mean(0).tolist())
    assert fold.train.take(slice(None))["x"].mean(0) == pytest.approx([0, 0], abs=1e-6)
    assert len(fold.test) == 10 and len(fold.validation) == 0
    assert data.learnt["x"][0]["mean"] == pytest.approx(values.mean(0).tolist())


def test_new_data_are_transformed_as_learnt() -> None:
    values = np.random.default_rng(0).normal(3, 2, (40, 2)).astype(np.float32)
    np.savez("p.npz", x=values, y=np.arange(40))
    text = two('source p = npz("p.npz") with test=0.5; x = p.x -> scale(2) -> standardize(); y = p.y')
    data = read(text)
    learnt = json.loads(json.dumps(data.learnt))
    np.save("new.npy", values)
    np.savetxt("new.csv", values, delimiter=",")
    np.savez("new.npz", x=values)
    for name in ("new.npy", "new.csv", "new.npz"):
        part = apply(model(text), name, learnt, inputs_only=True)
        assert list(part.take(slice(0, 3))) == ["x"]
        assert np.allclose(part.take(slice(None))["x"], arrays(data)["x"])
    both = apply(model(text), "p.npz", learnt)
    assert both.take(np.array([5]))["y"].tolist() == [[5]]
    with pytest.raises(RunFailed) as failed:
        apply(model(text), "new.npz", learnt)
    assert "has no array `y`" in failed.value.problems.items[0].message
    learnt["x"][1]["mean"] = "zero"
    with pytest.raises(RunFailed) as failed:
        apply(model(text), "new.npz", learnt, inputs_only=True)
    assert failed.value.problems.items[0].message == "what `standardize` has learnt is damaged"


def test_files_of_their_own_for_validation_and_test() -> None:
    rng = np.random.default_rng(0)
    for name, count in (("p", 30), ("v", 7), ("t", 5)):
        np.savez(f"{name}.npz", x=rng.normal(4, 3, (count, 2)), y=rng.normal(0, 1, count))
    text = two('source p = npz("p.npz"); x = p.x -> standardize(); y = p.y')
    data = load(model(text), None, batch=4, steps=None, seed=0, validation="v.npz", test="t.npz")
    assert [len(data.train), len(data.validation), len(data.test)] == [30, 7, 5]
    learnt = data.learnt["x"][0]
    with np.load("v.npz") as file:
        wanted = (file["x"] - learnt["mean"]) / learnt["deviation"]
    assert np.allclose(data.validation.take(slice(None))["x"], wanted, atol=1e-6)


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)

    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(scratch.tempfile, "TemporaryFile", lambda dir: Full())
    Path("t.csv").write_text("a,b,c\n" + "1,2,0\n" * 200)
    with pytest.raises(RunFailed) as failed:
        read(two('source t = csv("t.csv"); x = t[0:2]; y = t[2]'))
    (problem,) = failed.value.problems
    assert "no space left on device" in problem.message and "TMPDIR" in str(problem.help)


def test_a_file_that_is_cut_off_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("x.npy", np.ones((1000, 2), np.float32))
    small(monkeypatch)
    part = apply(model(two("").replace("    data {\n        \n    }\n", "")), "x.npy", {}, inputs_only=True)
    part.take(slice(0, 2))
    with open("x.npy", "r+b") as stream:
        stream.truncate(500)
    with pytest.raises(RunFailed) as failed:
        part.take(slice(0, 2))
    assert failed.value.problems.items[0].message == "x.npy was cut off while it was read"


PROGRAM = """
import sys
import threading
import time
import numpy as np
from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.runtime.dataset import apply, load
from nndsl.runtime.look import look_at
from nndsl.source import SourceFile

text = '''model M {
    input x: float[1024]
    output y = x -> Dense(1) with loss=mse
    data { source p = npz("big.npz") with test=0.2; x = p.x -> scale(0.5) -> standardize(); y = p.y }
}
'''

def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("RssAnon"))

def watch():
    while True:
        seen.append(anonymous())
        time.sleep(0.005)

seen = []
threading.Thread(target=watch, daemon=True).start()
model = pipeline.check(SourceFile("model.nn", text), Problems()).main
if sys.argv[1] == "big.npz":
    data = load(model, None, batch=32, steps=None, seed=0)
    part = data.train
    assert look_at(data).parts == {"training": 838861, "test": 209715}
else:
    part = apply(model, sys.argv[1], {}, inputs_only=True)
assert not part.resident and part.nbytes > 3 * 2**30
order = np.random.default_rng(0).permutation(len(part))
for start in range(0, 300 * 64, 64):
    assert part.take(order[start : start + 64])["x"].shape == (64, 1024)
print(max(seen))
"""


def most_anonymous(name: str) -> int:
    """The most MiB of anonymous memory that the program above had at any time."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="RssAnon is Linux's")
def test_four_gigabytes_take_little_memory(folder: Path) -> None:
    rows = 2**20
    big = np.lib.format.open_memmap("big.npy", "w+", np.float32, (rows, 1024))
    big[::50_000] = np.arange(1024)
    big.flush()
    assert Path("big.npy").stat().st_size > 4 * 2**30
    assert most_anonymous("big.npy") < 400
    Path("big.npy").unlink()
    with open("big.npz", "wb", buffering=0) as raw, zipfile.ZipFile(Sparse(raw), "w") as archive:  # type: ignore[call-overload]
        for name, array in (("x", np.zeros(2**20, np.float32)), ("y", np.arange(rows, dtype=np.float32))):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                shape = (rows, 1024) if name == "x" else (rows,)
                np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})  # type: ignore[arg-type]
                for _ in range(1024 if name == "x" else 1):
                    stream.write(array.tobytes())
    assert most_anonymous("big.npz") < 400


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux", reason="RssAnon is Linux's")
def test_a_run_over_four_gigabytes_takes_little_memory(folder: Path) -> None:
    pytest.importorskip("torch")
    big = np.lib.format.open_memmap("x.npy", "w+", np.float32, (2**20, 1024))
    big[::50_000] = np.arange(1024)
    big.flush()
    np.save("y.npy", np.arange(2**20, dtype=np.float32) % 7)
    Path("big.nn").write_text(
        """model Big {
    input x: float[1024]
    output y = x -> Dense(16, activation=relu) -> Dense(1) with loss=mse
    train { optimizer = adam; steps = 200; batch_size = 64; seed = 1 }
    data {
        source xs = npy("x.npy") with test=0.2
        source ys = npy("y.npy") with test=0.2
        x = xs -> scale(0.5) -> standardize()
        y = ys
    }
}
"""
    )
    command = [sys.executable, "-m", "nndsl", "run", "big.nn", "-o", "run", "--checkpoint-every", "50"]
    most = 0
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            with suppress(OSError, StopIteration), open(f"/proc/{process.pid}/status") as status:
                most = max(most, next(int(line.split()[1]) // 1024 for line in status if line.startswith("RssAnon")))
            time.sleep(0.02)
    assert process.returncode == 0 and Path("run/weights.safetensors").exists()
    assert 50 < most < 1000, most


class Sparse:
    """A file in which zeros take no room."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def write(self, data: bytes) -> int:
        if len(data) > 4096 and not any(memoryview(data)[::4096]) and not np.frombuffer(data, np.uint8).any():
            self.raw.seek(len(data), 1)
            return len(data)
        return int(self.raw.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)
