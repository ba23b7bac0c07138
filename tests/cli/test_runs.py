"""`nndsl runs` on run folders that are whole, half written, damaged, foreign or hostile."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nndsl.runtime.reports import compare, folders
from nndsl.runtime.reports.compare import direction
from nndsl.runtime.reports.folders import LARGEST
from nndsl.runtime.reports.history import HistoryFile

RECORD: dict[str, Any] = {
    "nndsl": "0.1.0", "model": "Digits", "program": "digits.nn", "params": {"width": 64}, "target": "torch",
    "options": {"epochs": 3, "seed": 7, "batch_size": None}, "data": "digits()", "device": "cpu", "status": "finished",
    "reason": None, "begun": "2026-11-26T21:00:00Z", "seconds": 75.0, "epochs": 3, "steps": 120,
    "samples": {"train": 1257, "validation": 180, "test": 360},
}  # fmt: skip


def results(accuracy: float, loss: float) -> dict[str, Any]:
    output = {"loss": loss, "weight": 1.0, "weighted_loss": loss, "metrics": {"accuracy": accuracy}}
    return {"test": {"samples": 360, "loss": loss, "penalties": 0.0, "outputs": {"label": output}}}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, record: dict[str, Any] | str | None = None, metrics: Any = None, rows: int = 3) -> Path:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        text = record if isinstance(record, str) else json.dumps(RECORD | (record or {}))
        (folder / "run.json").write_text(text)
        if metrics is not None:
            (folder / "metrics.json").write_text(metrics if isinstance(metrics, str) else json.dumps(metrics))
        history = [{"epoch": n, "loss": 1 / n, "val_loss": 2 / n if n < 3 else 1.5} for n in range(1, rows + 1)]
        HistoryFile(str(folder / "history.csv"), history).write()
        return folder

    return make


def test_the_list(nndsl, make, tmp_path):
    make("digits-2", {"begun": "2026-11-26T22:00:00Z", "params": {"width": 128}}, results(0.98, 0.07))
    make("digits-1", None, results(0.9722, 0.1))
    (tmp_path / "runs" / "note.txt").touch()
    (tmp_path / "runs" / ".hidden").mkdir()
    ran = nndsl("runs", tmp_path / "runs")
    lines = ran.out.splitlines()
    assert ran.code == 0 and len(lines) == 4
    row = "digits-1 Digits finished 2026-11-26 21:00 3 epochs 0.3333 1.5000 accuracy 0.9722 1 min 15 s"
    assert lines[2].split() == row.split()
    assert lines[3].startswith("digits-2")
    assert nndsl("runs", tmp_path / "runs" / "digits-1").out.splitlines()[2:] == [lines[2]]


def test_what_is_broken_is_said_and_hides_nothing(nndsl, make, tmp_path):
    make("good", None, results(0.9, 0.1))
    make("half", '{"status": "fin')
    make("list", "[1, 2]")
    make("deep", "[" * 100_000)
    make("huge", " " * (LARGEST + 1))
    make("odd", {"model": ["x"], "status": "\x1b[31m", "epochs": 10**400, "seconds": True, "begun": "soon"}, "{}")
    make("stopped", {"status": "failed", "reason": "the loss is no number in step 7\x1b[2J"})
    history = make("history", None, results(0.5, float("nan"))) / "history.csv"
    history.write_text("epoch,loss\n1,2\n2,ab\n")
    (tmp_path / "runs" / "other").mkdir()
    pipe = tmp_path / "runs" / "pipe"
    pipe.mkdir()
    os.mkfifo(pipe / "run.json")
    ran = nndsl("runs", tmp_path / "runs")
    assert ran.code == 0 and "\x1b" not in ran.out
    status = {line.split()[0]: line for line in ran.out.splitlines()[2:12]}
    assert status.keys() == {"good", "half", "list", "deep", "huge", "odd", "stopped", "history", "other", "pipe"}
    assert all("damaged" in status[name] for name in ("half", "list", "deep", "huge", "pipe"))
    assert "no run" in status["other"] and "␛[31m" in status["odd"] and "accuracy 0.9000" in status["good"]
    for note in (
        "half: run.json is damaged: it is no JSON",
        "list: run.json is damaged: it is no object",
        "huge: run.json is larger than 4,194,304 bytes",
        "pipe: run.json is not a regular file",
        "stopped: the loss is no number in step 7␛[2J",
        "history: history.csv, its last line: `ab` is not a number",
    ):
        assert note in ran.out.splitlines()


def test_a_run_that_is_silent_may_be_none_any_more(nndsl, make):
    folder = make("killed", {"status": "running"})
    assert "silent" not in nndsl("runs", folder).out
    for path in (folder / "run.json", folder / "history.csv", folder):
        os.utime(path, (time.time() - 7300,) * 2)
    assert "killed: silent for 2 h 1 min: it may have been killed" in nndsl("runs", folder).out


def test_side_by_side(nndsl, make):
    one = make("one", None, results(0.9, 0.05))
    two = make("two", {"params": {"width": 128}, "options": {"epochs": 9, "seed": 7}}, results(0.95, 0.1), rows=2)
    ran = nndsl("runs", one, two)
    rows = {cells[0]: " ".join(cells[1:]).split() for line in ran.out.splitlines() if (cells := re.split("  +", line))}
    assert ran.code == 0
    assert rows["param width"] == ["64", "128"] and rows["option epochs"] == ["3", "9"]
    assert "option seed" not in rows and "model" not in rows
    assert rows["test label accuracy"] == ["0.9000", "0.9500", "*"]
    assert rows["test loss"] == ["0.0500", "*", "0.1000"]
    assert rows["least val_loss"] == ["1", "1"] and rows["last val_loss"] == ["1.5000", "1", "*"]
    assert rows["steps"] == ["120", "120"] and ran.out.endswith("* the better\n")
    again = nndsl("runs", one, one)
    assert "The settings are the same." in again.out and "*" not in again.out


def test_as_data(nndsl, make, tmp_path):
    one, two = make("one", None, results(0.9, 0.05)), make("two", {"seconds": 9}, results(0.95, 0.1))
    (row, other) = json.loads(nndsl("runs", tmp_path / "runs", "--format", "json").out)
    assert row["metric"] == {"name": "test label accuracy", "value": 0.9} and row["loss"] == 1 / 3
    assert (row["epochs"], row["held_out_loss"], row["problems"], other["name"]) == (3, 0.05, [], "two")
    found = json.loads(nndsl("runs", one, two, "--format", "json").out)
    assert found["settings"] == {} and found["same"]["param width"] == 64
    assert found["results"]["test label accuracy"] == {"values": [0.9, 0.95], "better": [1]}
    assert found["results"]["seconds"] == {"values": [75.0, 9], "better": []}


def test_what_cannot_be_compared(nndsl, make, tmp_path):
    one, bad = make("one"), make("bad", "{")
    ran = nndsl("runs", one, bad, tmp_path / "runs")
    assert ran.code == 1 and ran.out == "" and ran.err.count("error[NN0701]") == 2
    assert f"`{bad}` is no run folder: run.json is damaged: it is no JSON" in ran.err
    assert f"name one of the runs in it: `{one}`" in ran.err
    ran = nndsl("runs", one, tmp_path / "runs" / "on")
    assert ran.code == 2 and f"did you mean `{one}`?" in ran.err


def test_no_runs(nndsl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = nndsl("runs")
    assert (ran.code, ran.out) == (0, "there are no runs in `runs`; `nndsl run model.nn` makes one\n")
    assert nndsl("runs", "--format", "json").out == "[]\n"


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        ("val_loss", "min"), ("accuracy", "max"), ("val_label_acc", "max"), ("f1_score_3", "max"), ("y_mae", "min"),
        ("false_negatives", "min"), ("r2_score", "max"), ("seconds", None), ("learning_rate", None),
    ],
)  # fmt: skip
def test_which_is_better(label, wanted):
    assert direction(label) == wanted


def test_neither_torch_nor_numpy_is_loaded(make):
    code = (
        "import sys; from nndsl.cli.main import main; main(sys.argv[1:]); print({'torch', 'numpy'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, "runs", str(make("one")), str(make("two"))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=60)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


_WORDS = st.sampled_from(["finished", "running", "\x1b[2J", "\u202e", "1e9"])
_KEYS = st.sampled_from([*RECORD, *results(1, 1)["test"], "test", "mean", "metrics"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner),
    max_leaves=12,
)


@given(record=_JSON, metrics=_JSON, history=st.binary(max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_files_hold(tmp_path_factory, record, metrics, history):
    folder = tmp_path_factory.mktemp("run")
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "history.csv").write_bytes(b"epoch,loss\n1,2\n" + history)
    runs = [folders.read(str(folder))] * 2
    text = compare.listed(runs, 40) + compare.compared(runs, 80)
    assert "\x1b" not in text and "\u202e" not in text
    json.dumps(compare.compared_data(runs))
