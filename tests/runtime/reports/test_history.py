"""history.csv and metrics.json: what is written is what is read, and what is damaged is said so."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nndsl.files import CannotWrite
from nndsl.runtime.reports.history import Damaged, HistoryFile, last_row, read_history
from nndsl.runtime.reports.metrics import write_metrics

ROWS = [
    {"epoch": 1, "loss": 0.1 + 0.2, "val_loss": math.inf, "learning_rate": 1e-3},
    {"epoch": 2, "loss": 5e-324, "learning_rate": 1e-3},
    {"epoch": 3, "loss": 1.0, "val_loss": -0.0, "label_accuracy": 1 / 3},
]


def test_the_same_numbers_are_read_again(tmp_path: Path) -> None:
    path = str(tmp_path / "history.csv")
    HistoryFile(path, ROWS).write()
    assert read_history(path) == ROWS
    assert [type(value) for value in read_history(path)[2].values()] == [int, float, float, float]
    assert last_row(path) == (["epoch", "loss", "val_loss", "learning_rate", "label_accuracy"], ROWS[2])
    HistoryFile(path, [{"step": 1, "loss": math.nan}]).write()
    assert math.isnan(read_history(path)[0]["loss"])


def test_a_history_grows_row_by_row(tmp_path: Path) -> None:
    path = str(tmp_path / "history.csv")
    growing = HistoryFile(path)
    for count, row in enumerate(ROWS, 1):
        growing.take(row)
        growing.write()
        assert read_history(path) == ROWS[:count]
    again = HistoryFile(path, read_history(path))
    again.take({"epoch": 4, "loss": 2.0})
    again.write()
    assert read_history(path) == [*ROWS, {"epoch": 4, "loss": 2.0}]
    assert os.listdir(tmp_path) == ["history.csv"]
    with pytest.raises(CannotWrite):
        HistoryFile(str(tmp_path / "missing" / "history.csv"), ROWS).write()


def test_the_last_row_of_a_long_history(tmp_path: Path) -> None:
    path = str(tmp_path / "history.csv")
    HistoryFile(path, ({"epoch": number, "loss": number / 3} for number in range(10_000))).write()
    assert last_row(path)[1] == {"epoch": 9999, "loss": 3333.0}


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"epoch,loss\n1,2,3\n", "line 2: 3 cells under 2 names"),
        (b"epoch,loss\n1,2\n2,ten\n", "line 3: `ten` is not a number"),
        (b"epoch,loss\n1," + b"9" * 5000 + b"\n", "is not a number"),
        (b"epoch,loss\n1,\xff\n", "not UTF-8"),
        (b'epoch,"' + b"x" * 200_000, "no table"),
    ],
)
def test_damaged(tmp_path: Path, data: bytes, what: str) -> None:
    (tmp_path / "history.csv").write_bytes(data)
    with pytest.raises(Damaged, match=what):
        read_history(str(tmp_path / "history.csv"))


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "history.csv")
    with pytest.raises(Damaged, match=r"there is no history\.csv"):
        last_row(path)
    os.mkfifo(path)
    with pytest.raises(Damaged, match="not a regular file"):
        read_history(path)
    (tmp_path / "empty.csv").touch()
    assert read_history(str(tmp_path / "empty.csv")) == [] and last_row(str(tmp_path / "empty.csv")) == ([], {})


@dataclass
class Output:
    name: str
    loss: float
    weight: float
    weighted: float
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass
class Result:
    loss: float
    outputs: list[Output]
    samples: int = 10
    penalties: float = 0.0


def test_metrics_by_part_and_output(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    parts = [Result(loss, [Output("y", loss, 1.0, loss, {"mae": 2 * loss})]) for loss in (1.0, 3.0)]
    write_metrics(str(path), {"test": Result(math.nan, [Output("y", math.inf, 0.5, 1.0)]), "cross_validation": parts})
    found = json.loads(path.read_text())
    assert found["test"]["loss"] is None and found["test"]["outputs"]["y"]["loss"] is None
    assert found["cross_validation"]["mean"] == {"y": {"loss": 2.0, "mae": 4.0}}
    assert found["cross_validation"]["deviation"] == {"y": {"loss": 1.0, "mae": 2.0}}
    assert [part["loss"] for part in found["cross_validation"]["parts"]] == [1.0, 3.0]
