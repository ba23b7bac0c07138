"""Run folders as they are found: half written, damaged and foreign ones too. Nothing in them is trusted.

Files are read up to a size and never run; what is of another kind than it should be is left out, and said so.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nndsl.runtime.reports.history import Damaged, History, last_row, read_history, text_of
from nndsl.runtime.reports.words import duration

RECORD, METRICS, HISTORY = "run.json", "metrics.json", "history.csv"
LARGEST = 4 * 2**20
"""Bytes of a JSON file that is read."""
MOST_FOLDERS = 10_000
SILENT = 3600
"""Seconds without a word from a running run, after which it may be none any more."""
_LONGEST = 200
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)", re.ASCII)


@dataclass
class RunFolder:
    """What is known of a run. `record` is run.json, `metrics` metrics.json, `last` the last row of history.csv;
    `problems` say what could not be read. Where `is_run` is False, nothing here is from `nndsl run`."""

    path: str
    record: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    is_run: bool = False

    @property
    def name(self) -> str:
        return os.path.basename(os.path.abspath(self.path))

    def text(self, key: str) -> str | None:
        """A text of run.json; None where it is none."""
        value = self.record.get(key)
        return value[:_LONGEST] if isinstance(value, str) and value else None

    def begun(self) -> str:
        """When it began, "2026-11-26 21:00"; "" where that is no time."""
        found = _TIME.match(self.text("begun") or "")
        return f"{found[1]} {found[2]}" if found else ""

    def number(self, key: str) -> float | None:
        """A number of run.json; None where it is none."""
        return number_of(self.record.get(key))

    def group(self, key: str) -> dict[str, Any]:
        """An object of run.json, {} where it is none."""
        value = self.record.get(key)
        return value if isinstance(value, dict) else {}

    def results(self) -> dict[str, float]:
        """Every number of metrics.json by a name that says where it is from: `test label accuracy`."""
        found: dict[str, float] = {}
        for part, result in self.metrics.items():
            if not isinstance(result, dict):
                continue
            if (loss := number_of(result.get("loss"))) is not None:
                found[f"{part} loss"] = loss
            means = _mapping(result.get("mean"))
            for output, numbers in means.items():
                found |= _numbers(f"{part} {output}", _mapping(numbers))
            outputs = _mapping(result.get("outputs"))
            for output, numbers in outputs.items():
                if len(outputs) > 1 and (loss := number_of(_mapping(numbers).get("loss"))) is not None:
                    found[f"{part} {output} loss"] = loss
                found |= _numbers(f"{part} {output}", _mapping(_mapping(numbers).get("metrics")))
        return found

    def main_metric(self) -> tuple[str, float] | None:
        """The first metric, and where it is from: held-out data before the rest."""
        results = {name: value for name, value in self.results().items() if name.split(" ")[-1] != "loss"}
        for part in ("test", "validation", "cross_validation"):
            for name, value in results.items():
                if name.startswith(f"{part} "):
                    return name, value
        return None

    def history(self) -> History:
        """All rows of history.csv; [] where it cannot be read, which `problems` says."""
        try:
            return read_history(os.path.join(self.path, HISTORY))
        except Damaged as error:
            if str(error) not in self.problems:
                self.problems.append(str(error))
            return []


def number_of(value: object) -> float | None:
    """A finite number as it stands in JSON, which has no infinity; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer beyond every float
        return None


def _numbers(prefix: str, found: Mapping[str, Any]) -> dict[str, float]:
    numbers = {f"{prefix} {name}": number_of(value) for name, value in found.items()}
    return {name: value for name, value in numbers.items() if value is not None}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def is_run(path: str) -> bool:
    return os.path.lexists(os.path.join(path, RECORD))


def folders_in(folder: str) -> list[str]:
    """The folders right below, hidden ones left out, by name. Raises OSError."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
    return [os.path.join(folder, name) for name in sorted(names)[:MOST_FOLDERS]]


def read(path: str, now: float | None = None) -> RunFolder:
    """What can be read of a folder; never raises for what is in it."""
    run = RunFolder(path)
    if not is_run(path):
        run.problems.append(f"it has no {RECORD}")
        return run
    run.is_run = True
    run.record = _json(run, RECORD)
    status = run.text("status")
    if run.record and status is None:
        run.problems.append(f"{RECORD} has no `status`")
    samples = run.group("samples")
    judged = status == "finished" and any(samples.get(part, 1) for part in ("test", "validation"))
    if os.path.lexists(os.path.join(path, METRICS)) or judged:
        run.metrics = _json(run, METRICS)
    whole = status == "finished" and "cross_validation" not in run.metrics  # which keeps no history
    if os.path.lexists(os.path.join(path, HISTORY)) or whole:
        try:
            run.last = last_row(os.path.join(path, HISTORY))[1]
        except Damaged as error:
            run.problems.append(str(error))
    if status == "running":
        silent = (time.time() if now is None else now) - _latest(path)
        if silent > SILENT:
            run.problems.append(f"silent for {duration(silent)}: it may have been killed")
    reason = run.text("reason")
    if reason:
        run.problems.append(reason)
    return run


def _json(run: RunFolder, name: str) -> dict[str, Any]:
    try:
        found = json.loads(text_of(os.path.join(run.path, name), LARGEST))
    except Damaged as error:
        run.problems.append(str(error))
    except (ValueError, RecursionError):
        run.problems.append(f"{name} is damaged: it is no JSON")
    else:
        if isinstance(found, dict):
            return found
        run.problems.append(f"{name} is damaged: it is no object")
    return {}


def _latest(path: str) -> float:
    """When something in the folder was last written."""
    times = [0.0]
    for name in (RECORD, HISTORY, "checkpoints", "."):
        try:
            times.append(os.stat(os.path.join(path, name)).st_mtime)
        except OSError:
            continue
    return max(times)
