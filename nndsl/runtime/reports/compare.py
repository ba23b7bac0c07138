"""Runs as a list, and side by side: where their settings differ, and which has the better numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from nndsl.diagnostics.terminal import visible
from nndsl.layers import catalogue
from nndsl.runtime.reports.folders import RunFolder, number_of
from nndsl.runtime.reports.words import duration
from nndsl.views.table import Column, table

BETTER = "*"
_LONGEST = 60


# ------------------------------------------------------------------------------------------------ the list


def row_of(run: RunFolder) -> dict[str, Any]:
    """One run as data: what `nndsl runs --format json` shows."""
    metric = run.main_metric()
    epochs, steps = run.number("epochs"), run.number("steps")
    results = run.results()
    held = next((results[name] for name in ("test loss", "validation loss") if name in results), None)
    return {
        "folder": run.path,
        "name": run.name,
        "is_run": run.is_run,
        "model": run.text("model"),
        "target": run.text("target"),
        "status": run.text("status"),
        "begun": run.text("begun"),
        "epochs": epochs,
        "steps": steps,
        "loss": number_of(run.last.get("loss")),
        "val_loss": number_of(run.last.get("val_loss")),
        "held_out_loss": held,
        "metric": None if metric is None else {"name": metric[0], "value": metric[1]},
        "seconds": run.number("seconds"),
        "problems": run.problems,
    }


def listed(runs: Sequence[RunFolder], width: int | None) -> str:
    """A table with a line for each folder, the oldest first; below it what could not be read."""
    ordered = sorted(runs, key=lambda run: (run.begun(), run.name))
    rows = [row_of(run) for run in ordered]
    columns = [
        Column("Run", [row["name"] for row in rows]),
        Column("Model", [row["model"] or "" for row in rows]),
        Column("Status", [row["status"] or ("damaged" if row["is_run"] else "no run") for row in rows]),
        Column("Begun (UTC)", [run.begun() for run in ordered]),
        Column("Length", [_length(run) for run in ordered], number=True),
        Column("Loss", [_number(row["loss"]) for row in rows], number=True),
        Column("Val. loss", [_number(row["val_loss"]) for row in rows], number=True),
        Column("Metric", [_metric(row["metric"]) for row in rows]),
        Column("Time", [_duration(row["seconds"]) for row in rows], number=True),
    ]
    columns = [column for column in columns if column.title in ("Run", "Status") or any(column.cells)]
    lines = table(columns, width)
    notes = [f"{row['name']}: {problem}" for row in rows for problem in row["problems"] if row["is_run"]]
    return "\n".join([*lines, *([""] if notes else []), *map(visible, notes)]) + "\n"


def _length(run: RunFolder) -> str:
    """In what the run counts: `3 epochs`, `1 step`."""
    in_steps = number_of(run.group("plan").get("steps")) is not None
    for unit in ("steps", "epochs") if in_steps else ("epochs", "steps"):
        if number := run.number(unit):
            return f"{int(number):,} {unit if number != 1 else unit[:-1]}"
    return ""


def _metric(metric: dict[str, Any] | None) -> str:
    """`accuracy 0.9722`, with the part of the data where it is not that held out."""
    if metric is None:
        return ""
    part, *_, name = metric["name"].split(" ")
    where = "" if part == "test" else " (validation)" if part == "validation" else " (mean)"
    return f"{name} {_number(metric['value'])}{where}"


# ----------------------------------------------------------------------------------------- side by side


def settings_of(run: RunFolder) -> dict[str, Any]:
    """Everything that was set, by a name that says where: `model`, `param width`, `option epochs`, `samples train`."""
    found = {key: run.record.get(key) for key in ("model", "program", "data", "target", "device", "nndsl")}
    for group, title in (("params", "param"), ("options", "option"), ("samples", "samples")):
        found |= {f"{title} {name}": value for name, value in run.group(group).items()}
    return {name: value for name, value in found.items() if value is not None}


def numbers_of(run: RunFolder) -> dict[str, float]:
    """The results on held-out data, and how training ended."""
    history = run.history()
    found = run.results()
    for name in ("loss", "val_loss"):
        values = [value for row in history if (value := number_of(row.get(name))) is not None]
        if values:
            found[f"last {name}"] = values[-1]
        if values and name == "val_loss":
            found["least val_loss"] = min(values)
    for name in ("epochs", "steps", "seconds"):
        if (value := run.number(name)) is not None:
            found[name] = value
    return found


def direction(label: str) -> str | None:
    """Whether less ("min") or more ("max") of a number is better, from its name in the logs: that of a loss or of a
    metric of the catalogue, perhaps with more before or behind (`label_accuracy`, `f1_score_3`). None where unknown."""
    words = label.split("_")
    if words[-1] == "loss":
        return "min"
    if words[-1].isdecimal():
        words = words[:-1]
    for start in range(len(words)):
        metric = catalogue.find("metric", "_".join(words[start:]))
        if metric is not None:
            found: str = getattr(metric, "direction", None) or ""
            return found or None
    return None


def best_of(name: str, values: Sequence[float | None]) -> list[int]:
    """The places of the better values, where they differ and it is known what is better."""
    there = [value for value in values if value is not None and not math.isnan(value)]
    goal = direction(name.split(" ")[-1])
    if goal is None or len(there) < 2 or len(set(there)) == 1:
        return []
    best = min(there) if goal == "min" else max(there)
    return [place for place, value in enumerate(values) if value == best]


def compared_data(runs: Sequence[RunFolder]) -> dict[str, Any]:
    """The comparison as data: for each setting that differs and each number, one value for each run; `better` are the
    places of the better ones."""
    settings = [settings_of(run) for run in runs]
    names = list(dict.fromkeys(name for each in settings for name in each))
    differing = [name for name in names if len({_word(each.get(name)) for each in settings}) > 1]
    numbers = [numbers_of(run) for run in runs]
    results = {}
    for name in dict.fromkeys(name for each in numbers for name in each):
        values = [each.get(name) for each in numbers]
        results[name] = {"values": values, "better": best_of(name, values)}
    return {
        "runs": [row_of(run) for run in runs],
        "settings": {name: [each.get(name) for each in settings] for name in differing},
        "same": {name: settings[0][name] for name in names if name not in differing},
        "results": results,
    }


def compared(runs: Sequence[RunFolder], width: int | None) -> str:
    """The comparison as tables."""
    data = compared_data(runs)
    names = _names(runs)
    lines = []
    if data["settings"]:
        cells = {name: list(map(_word, values)) for name, values in data["settings"].items()}
        lines += [*_side_by_side("Setting", names, cells, width), ""]
    else:
        lines += ["The settings are the same.", ""]
    cells = {name: list(_marked(name, found)) for name, found in data["results"].items()}
    lines += _side_by_side("Result", names, cells, width, number=True)
    if any(found["better"] for found in data["results"].values()):
        lines.append(f"{BETTER} the {'better' if len(runs) == 2 else 'best'}")
    notes = [f"{name}: {problem}" for name, run in zip(names, runs, strict=True) for problem in run.problems]
    return "\n".join([*lines, *([""] if notes else []), *map(visible, notes)]) + "\n"


def _marked(name: str, found: dict[str, Any]) -> Iterator[str]:
    for place, value in enumerate(found["values"]):
        text = _duration(value) if name == "seconds" else _number(value)
        yield f"{text} {BETTER if place in found['better'] else ' '}"


def _side_by_side(
    title: str, names: Sequence[str], cells: dict[str, list[str]], width: int | None, *, number: bool = False
) -> Iterator[str]:
    columns = [Column(title, list(cells))]
    for place, name in enumerate(names):
        columns.append(Column(f"{name}  " if number else name, [row[place] for row in cells.values()], number=number))
    yield from table(columns, width)


def _names(runs: Sequence[RunFolder]) -> list[str]:
    """Short names where these tell the runs apart."""
    names = [run.name for run in runs]
    return names if len(set(names)) == len(names) else [run.path for run in runs]


def _word(value: Any) -> str:
    """A value of run.json on one line."""
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e6):
        return f"{int(value):,}"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e6 else f"{value:.3e}"


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)
