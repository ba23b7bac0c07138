"""Numbers as words, the same in pictures, on the page and in the terminal."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """1.3 s, 2 min 5 s, 3 h 20 min."""
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"
