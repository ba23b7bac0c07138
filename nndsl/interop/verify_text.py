"""The table of `nndsl verify`, as text and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from nndsl.interop.verify import Report
from nndsl.interop.verify_compare import Difference, Row, summary
from nndsl.interop.verify_rows import TRAINING

_COLUMNS = ("check", "float", "absolute", "relative", "allowed", "where", "")
_SHOWN = 5  # differences of a broken check


def text(report: Report, paint: Callable[[str, str], str]) -> str:
    """The table and a closing sentence; `paint(role, text)` colors what is broken or well."""
    cells = [_cells(row) for row in report.rows]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *cells, strict=True)]
    lines = [_line(_COLUMNS, widths)]
    for row, line in zip(report.rows, cells, strict=True):
        lines.append(_line(line, widths, lambda word, row=row: paint(_ROLES[row.status], word)))  # type: ignore[misc]
    for row in report.rows:
        lines += _details(row)
    lines += ["", *(f"  {note}" for note in report.notes)] if report.notes else []
    return "\n".join([*lines, "", *_closing(report, paint), ""])


_ROLES = {"ok": "help", "failed": "error", "not run": "warning"}
_STATUS = {"ok": "ok", "failed": "FAILED", "not run": "not run"}


def _cells(row: Row) -> tuple[str, ...]:
    worst = row.worst
    if worst is None:
        return (row.check, row.dtype, "", "", "", "", _STATUS[row.status])
    place = str([*worst.place]) if worst.place else ""
    numbers = (_number(worst.absolute), _number(worst.relative), _number(worst.limit / worst.scale))
    return (row.check, row.dtype, *numbers, f"{worst.name}{place}", _STATUS[row.status])


def _number(value: float) -> str:
    return "0" if value == 0 else "–" if math.isinf(value) else f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e+")


def _line(cells: tuple[str, ...], widths: list[int], paint: Callable[[str], str] = str) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells[:-1], widths, strict=False)]
    return "  ".join([*padded, paint(cells[-1])]).rstrip()


def _details(row: Row) -> list[str]:
    lines = []
    if row.note:
        lines.append(f"  {row.check}, {row.dtype}: {row.note}")
    failures = row.failures
    if failures:
        lines.append(f"  {row.check}, {row.dtype}: {len(failures)} of {len(row.differences)} differ by too much")
        lines += [f"    {_difference(difference)}" for difference in failures[:_SHOWN]]
        if len(failures) > _SHOWN:
            lines.append(f"    and {len(failures) - _SHOWN} more")
    return ["", *lines] if lines else []


def _difference(difference: Difference) -> str:
    if difference.note:
        return f"{difference.name}: {difference.note}"
    return f"{difference.name}: {_number(difference.absolute)}, allowed are {_number(difference.limit)}"


def _closing(report: Report, paint: Callable[[str, str], str]) -> list[str]:
    fine, broken, left = summary(report.rows)
    versions = report.versions
    who = f"PyTorch {versions['torch']} and Keras {versions['keras']} (TensorFlow {versions['tensorflow']})"
    not_run = f"; {left} not run" if left else ""
    if broken:
        return [
            paint(
                "error",
                f"`{report.model}` is not the same in {who}: {broken} of {fine + broken} checks FAILED{not_run}",
            )
        ]
    if not fine:
        return [f"`{report.model}`: nothing could be compared"]
    whole = all(row.status == "ok" for row in report.rows if row.check in TRAINING)
    trained = f", {report.steps} steps of training" if report.steps and whole else ""
    held = "1 check holds" if fine == 1 else f"{fine} checks hold"
    return [paint("help", f"`{report.model}` is the same in {who}: {held}{trained}{not_run}")]


def as_json(report: Report) -> str:
    """One object; its keys stay as they are from version to version. A number that is not finite is null."""
    found: dict[str, Any] = {
        "model": report.model,
        "holds": report.holds,
        "seed": report.seed,
        "steps": report.steps,
        "parameters": report.parameters,
        "versions": report.versions,
        "notes": report.notes,
        "checks": [_row(row) for row in report.rows],
    }
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _row(row: Row) -> dict[str, Any]:
    return {
        "check": row.check,
        "float": row.dtype,
        "status": row.status.replace(" ", "_"),
        "compared": len(row.differences),
        "worst": _as_object(row.worst) if row.worst else None,
        "failures": [_as_object(difference) for difference in row.failures],
        "note": row.note or None,
    }


def _as_object(difference: Difference) -> dict[str, Any]:
    return {
        "where": difference.name.replace("`", ""),
        "place": list(difference.place),
        "absolute": _finite(difference.absolute),
        "relative": _finite(difference.relative),
        "tolerance": _finite(difference.limit),
        "note": difference.note or None,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
