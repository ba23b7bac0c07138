"""Where to compute."""

from __future__ import annotations

import torch

from nndsl.runtime.report import Unavailable


def pick(name: str, float_dtype: str) -> torch.device:
    """`cpu`, `cuda` or `mps`; `auto` takes a GPU where there is one that computes in the model's float type. Raises
    Unavailable."""
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available() and float_dtype != "float64",
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, found in there.items() if found)
    if not there[name]:
        why = "has no float64" if name == "mps" and torch.backends.mps.is_available() else "is not there"
        raise Unavailable(f"the device `{name}` {why}", "take `--device auto`, which chooses one that is there")
    return torch.device(name)
