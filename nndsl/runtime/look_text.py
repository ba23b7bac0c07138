"""What `nndsl data` prints: a table of the data, and bars for classes; or JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from nndsl.ir.types import show_shape
from nndsl.runtime.look import Look, Overview
from nndsl.runtime.progress import number
from nndsl.runtime.results import aligned
from nndsl.views.summary_text import in_bytes

BAR = 30
MOST_SHOWN = 20
"""How many classes are shown one by one."""


def overview_text(found: Overview) -> str:
    """Parts, a table of inputs, targets and weights, then the balance of classes."""
    rows = ", ".join(f"{count:,} {name}" for name, count in found.parts.items())
    where = "in memory" if found.resident else "read from the file as training goes on"
    lines = [
        f"{found.model}: {sum(found.parts.values()):,} rows of {', '.join(found.sources)}",
        f"parts: {rows}",
        f"size: {in_bytes(found.nbytes)}, {where}",
        "",
        aligned(
            [
                ["name", "is", "row", "dtype", "from", "to", "mean", "deviation", "zeros", "missing"],
                *(_row(look) for look in found.columns),
            ]
        ),
    ]
    for look in found.columns:
        lines += _more(look)
    return "\n".join(lines) + "\n"


def _row(look: Look) -> list[str]:
    dtype = look.dtype if look.dtype == look.model_dtype else f"{look.dtype} → {look.model_dtype}"
    row = show_shape(look.shape) if look.shape else "number"
    return [
        look.name, look.what, row, dtype, *map(_number, (look.low, look.high, look.mean, look.deviation)),
        f"{look.zeros:.1%}", f"{look.missing:,}",
    ]  # fmt: skip


def _more(look: Look) -> list[str]:
    lines = []
    if look.transforms:
        before = f", from {_number(look.raw[0])} to {_number(look.raw[1])} before" if look.raw else ""
        lines.append(f"`{look.name}`: {look.source} -> {' -> '.join(look.transforms)}{before}")
    if look.vocabulary is not None:
        lines.append(f"`{look.name}`: {look.used:,} of the {look.vocabulary:,} ids that the Embedding takes")
    for part, counts in look.classes.items():
        lines += [f"classes of `{look.name}`, {part}:", *_bars(counts)]
    return ["", *lines] if lines else []


def _bars(counts: dict[str, int]) -> list[str]:
    total, most = sum(counts.values()), max(counts.values(), default=1)
    shown = list(counts.items())[:MOST_SHOWN]
    width, digits = max(len(name) for name, _ in shown), max(len(f"{count:,}") for _, count in shown)
    lines = [
        f"  {name:<{width}}  {count:>{digits},}  {count / total:6.1%}  {'█' * max(round(BAR * count / most), 1)}"
        for name, count in shown
    ]
    if len(counts) > len(shown):
        lines.append(f"  and {len(counts) - len(shown):,} more classes")
    return lines


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{int(value):,}" if value.is_integer() and abs(value) < 1e9 else number(value)


def overview_json(found: Overview) -> str:
    """One object, ASCII alone, with a line end. Numbers that are none are null."""
    value = {
        "model": found.model,
        "sources": found.sources,
        "parts": found.parts,
        "bytes": found.nbytes,
        "in_memory": found.resident,
        "arrays": [_json(look) for look in found.columns],
    }
    return json.dumps(value, indent=2) + "\n"


def _json(look: Look) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": look.name,
        "what": look.what,
        "source": look.source,
        "rows": look.rows,
        "shape": list(look.shape),
        "dtype": look.dtype,
        "model_dtype": look.model_dtype,
        "transforms": look.transforms,
        "min": look.low,
        "max": look.high,
        "mean": look.mean,
        "deviation": look.deviation,
        "zero_share": look.zeros,
        "missing": look.missing,
        "min_before": look.raw[0] if look.raw else None,
        "max_before": look.raw[1] if look.raw else None,
    }
    if look.vocabulary is not None:
        found |= {"vocabulary": look.vocabulary, "different_ids": look.used}
    if look.classes:
        found["classes"] = look.classes
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in found.items()}
