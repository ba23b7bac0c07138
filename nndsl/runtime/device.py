"""Where to compute."""

from __future__ import annotations

import torch

from nndsl.runtime.report import Unavailable
from nndsl.runtime.world import ALONE, World


def pick(name: str, float_dtype: str, world: World = ALONE) -> torch.device:
    """`cpu`, `cuda`, `cuda:1` or `mps`; `auto` takes a GPU where there is one that computes in the model's float type.
    Each process of a machine has a GPU of its own. Raises Unavailable."""
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available() and float_dtype != "float64",
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, found in there.items() if found)
    device = torch.device(name)
    if not there[device.type]:
        why = "has no float64" if name == "mps" and torch.backends.mps.is_available() else "is not there"
        raise Unavailable(f"the device `{name}` {why}", "take `--device auto`, which chooses one that is there")
    if device.type == "cuda" and (device.index or 0) >= (count := torch.cuda.device_count()):
        found = "only one, `cuda:0`" if count == 1 else f"`cuda:0` to `cuda:{count - 1}`"
        raise Unavailable(f"the device `{name}` is not there", f"this machine has {found}")
    return _own(name, device, world) if world.joined and device.type != "cpu" else device


def _own(name: str, device: torch.device, world: World) -> torch.device:
    """The GPU of this process."""
    chosen = ":" in name
    there = torch.cuda.device_count() if device.type == "cuda" and not chosen else 1
    if world.locals > there:
        found = f"there {'is one' if there == 1 else f'are {there}'}" if not chosen else f"`{name}` is one"
        raise Unavailable(
            f"{world.locals} processes on this machine need a GPU each, and {found}",
            "leave --device out, and each gets its own" if chosen else f"take `--processes {there}`, or `--device cpu`",
        )
    if device.type == "cuda":
        device = device if chosen else torch.device("cuda", world.local)
        torch.cuda.set_device(device)
    return device
