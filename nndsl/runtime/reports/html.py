"""`report.html`: one page that needs nothing else, with what was run, what came of it, and how to go on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nndsl.runtime.reports import markup
from nndsl.runtime.reports.commands import commands, literal
from nndsl.runtime.reports.confusion import Confusion
from nndsl.runtime.reports.curves import unit_of
from nndsl.runtime.reports.figure import number
from nndsl.runtime.reports.regression import Column
from nndsl.runtime.reports.words import duration

MOST_ROWS = 200
"""Of a table of classes; of more, those with the most samples."""
_MOST_COUNTS = 30


@dataclass
class Page:
    """What stands on the page. `pictures` are SVG texts by the stem of their files; `notes` say what is missing."""

    folder: str
    title: str
    history: Sequence[Mapping[str, float]]
    summary: Mapping[str, Any]
    confusions: Mapping[str, Confusion] = field(default_factory=dict)
    columns: Mapping[str, list[Column]] = field(default_factory=dict)
    scatters: Sequence[str] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def html(page: Page) -> str:
    """The file's text. Nothing of the user's text becomes markup, and no script or address is in it."""
    return markup.page(page.title, [*_head(page), *_results(page), *_training(page), *_outputs(page), *_end(page)])


def _head(page: Page) -> Iterator[str]:
    summary = page.summary
    yield f"<h1>{markup.text(page.title)}</h1>"
    status = str(summary.get("status", ""))
    known = status if status in ("finished", "interrupted", "failed") else ""
    parts = [f'<span class="status {known}">{markup.text(status)}</span>'] if status else []
    if isinstance(summary.get("seconds"), int | float):
        parts.append(f"after {markup.text(duration(summary['seconds']))}")
    if summary.get("begun"):
        parts.append(f"begun {markup.text(str(summary['begun']).replace('T', ' ')[:19])} UTC")
    if parts:
        yield f'<p class="lead">{", ".join(parts)}</p>'
    if summary.get("reason"):
        yield f"<p>{markup.text(summary['reason'])}</p>"
    for note in page.notes:
        yield f'<p class="note">{markup.text(note)}</p>'


def _results(page: Page) -> Iterator[str]:
    """The tables of metrics.json."""
    results = page.summary.get("results")
    if not isinstance(results, Mapping) or not results:
        return
    yield "<h2>Results</h2>"
    titles = {"test": "On data held out", "validation": "On the validation data"}
    for part, result in results.items():
        if part == "cross_validation":
            yield _folds(result)
            continue
        outputs = result["outputs"]
        metrics = list(dict.fromkeys(name for output in outputs.values() for name in output["metrics"]))
        head = ["Output", "Loss", "Weight", "Weighted loss", *metrics]
        rows = []
        for name, found in outputs.items():
            numbers = [_n(found["loss"]), f"{found['weight']:g}", _n(found["weighted_loss"])]
            rows.append([name, *numbers, *(_n(found["metrics"].get(metric)) for metric in metrics)])
        if abs(result.get("penalties") or 0.0) > 1e-6 * max(abs(result["loss"] or 0.0), 1):
            rows.append(["penalties", "", "", _n(result["penalties"])])
        if len(rows) > 1:
            rows.append(["total", "", "", _n(result["loss"])])
        yield markup.table(head, _full(head, rows), f"{titles.get(part, part)}, {result['samples']:,} samples")


def _folds(result: Mapping[str, Any]) -> str:
    rows = []
    for output, means in result["mean"].items():
        for label, mean in means.items():
            parts = [_value(part, output, label) for part in result["parts"]]
            rows.append([output, label, *map(_n, parts), _n(mean), _n(result["deviation"][output][label])])
    head = [f"Part {place}" for place in range(1, len(result["parts"]) + 1)]
    return markup.table(["Output", "Number", *head, "Mean", "Deviation"], rows, "Cross-validation")


def _value(part: Mapping[str, Any], output: str, label: str) -> float | None:
    found = part["outputs"][output]
    value: float | None = found["loss"] if label == "loss" else found["metrics"].get(label)
    return value


def _training(page: Page) -> Iterator[str]:
    if not page.history:
        return
    yield "<h2>Training</h2>"
    if "curves" in page.pictures:
        yield markup.picture(page.pictures["curves"], f"Loss and metrics of {page.title}")
    unit = unit_of(page.history)
    names = [name for name in dict.fromkeys(n for row in page.history for n in row) if name not in (unit, "seconds")]
    losses = {place: row.get("val_loss", math.nan) for place, row in enumerate(page.history)}
    finite = [place for place, loss in losses.items() if math.isfinite(loss)]
    chosen = {len(page.history) - 1: "last"}
    if finite:
        best = min(finite, key=losses.__getitem__)
        chosen[best] = "last, and least validation loss" if best in chosen else "least validation loss"
    rows = []
    for place, why in sorted(chosen.items()):
        row = page.history[place]
        rows.append([f"{int(row.get(unit, place + 1)):,}", *(_n(row.get(name)) for name in names), why])
    yield markup.table([unit.capitalize(), *names, ""], rows)


def _outputs(page: Page) -> Iterator[str]:
    for output, confusion in page.confusions.items():
        yield f"<h2>Output <code>{markup.text(output)}</code></h2>"
        if f"confusion-{output}" in page.pictures:
            yield markup.picture(page.pictures[f"confusion-{output}"], f"Confusion matrix of {output}")
        yield _classes(confusion)
        if confusion.matrix is not None and len(confusion.names) <= _MOST_COUNTS:
            yield markup.folded("The counts as a table", _counts(confusion))
        for reason, count in confusion.left_out.items():
            yield f'<p class="note">{count:,} {markup.text(reason)}: left out.</p>'
    for output, columns in page.columns.items():
        yield f"<h2>Output <code>{markup.text(output)}</code></h2>"
        if f"predictions-{output}" in page.pictures:
            yield markup.picture(page.pictures[f"predictions-{output}"], f"Predictions of {output} against the truth")
        rows = [[c.name, f"{c.sums.count:,}", *map(_n, (c.r2, c.mae, c.rmse, c.bias))] for c in columns]
        head = ["Number", "Values", "R²", "Mean absolute error", "Root mean squared error", "Mean of predicted − true"]
        yield markup.table(head, rows)
    shown = [name for name in page.scatters if name in page.pictures]
    if shown:
        yield "<h2>Maps</h2>"
        for name in shown:
            yield markup.picture(page.pictures[name], f"The two units of {name}")


def _classes(confusion: Confusion) -> str:
    count = len(confusion.names)
    order = np.arange(count)
    if count > MOST_ROWS:
        order = np.argsort(-confusion.support, kind="stable")[:MOST_ROWS]
    shares = (confusion.precision, confusion.recall, confusion.f1)
    rows = [
        [confusion.names[c], f"{confusion.support[c]:,}", f"{confusion.claimed[c]:,}", *(_n(s[c]) for s in shares)]
        for c in order
    ]
    if count > 1:
        means = [_n(float(np.nanmean(s)) if np.isfinite(s).any() else None) for s in shares]
        rows.append(["mean of the classes", f"{confusion.support.sum():,}", f"{confusion.claimed.sum():,}", *means])
    caption = f"{confusion.accuracy:.2%} right" if confusion.samples else "nothing was judged"
    if count > MOST_ROWS:
        caption += f"; the {MOST_ROWS} most frequent of {count:,} classes"
    head = ["Label" if confusion.labels else "Class", "True", "Predicted", "Precision", "Recall", "F1"]
    return markup.table(head, rows, caption)


def _counts(confusion: Confusion) -> str:
    assert confusion.matrix is not None
    rows = [[name, *(f"{n:,}" for n in row)] for name, row in zip(confusion.names, confusion.matrix, strict=True)]
    return markup.table(["True \\ predicted", *confusion.names], rows)


def _end(page: Page) -> Iterator[str]:
    yield "<h2>What was run</h2>"
    yield markup.facts(settings(page.summary))
    yield "<h2>How to go on</h2>"
    for what, line in commands(page.folder, page.summary):
        yield markup.command(what, line)


def settings(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What run.json says of the run, as words."""
    titles = {
        "model": "Model", "program": "File", "target": "Framework", "device": "Device", "data": "Data",
        "epochs": "Epochs", "steps": "Steps", "nndsl": "nndsl",
    }  # fmt: skip
    for key, title in titles.items():
        if summary.get(key) not in (None, ""):
            value = summary[key]
            yield title, f"{value:,}" if isinstance(value, int) else str(value)
    samples = summary.get("samples")
    if isinstance(samples, Mapping):
        yield "Samples", ", ".join(f"{count:,} {part}" for part, count in samples.items() if count)
    for group, title in (("params", "param"), ("options", "option")):
        found = summary.get(group)
        if isinstance(found, Mapping):
            yield from ((f"{title} {name}", literal(value)) for name, value in found.items() if value is not None)


def _n(value: float | None) -> str:
    """A number of a table; a dash where there is none."""
    return "–" if value is None or math.isnan(value) else number(float(value))


def _full(head: Sequence[str], rows: list[list[str]]) -> list[list[str]]:
    return [[*row, *[""] * (len(head) - len(row))] for row in rows]
