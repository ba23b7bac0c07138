"""How rows of data come to a torch device: all at once where they fit, else batch by batch from a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nndsl.runtime.ahead import ahead
from nndsl.runtime.engine import Batch, Rowed, Rows

SHARE = 0.4
"""What part of a device's free memory the data may take."""


class Feed:
    """The rows of one part on their way to the device. `types` are the torch dtypes of the model's own arrays by name;
    others, which a submodel takes, keep theirs. `shares` gives the places of a batch that this process takes, all where
    None."""

    def __init__(
        self, part: Rowed, types: Mapping[str, torch.dtype], device: torch.device,
        shares: Callable[[Rows], Rows] | None = None,
    ) -> None:  # fmt: skip
        self.part, self.types, self.device, self.shares = part, types, device, shares
        fits = part.resident and part.nbytes <= _room(device)
        self.whole = self._place(part.take(np.arange(len(part)))) if fits else None

    def __call__(self, batches: Iterable[Rows]) -> Iterator[Batch]:
        shared = ((places, places if self.shares is None else self.shares(places)) for places in batches)
        if self.whole is not None:
            whole = self.whole
            for places, own in shared:
                chosen = torch.from_numpy(own).to(self.device)
                yield Batch({name: x.index_select(0, chosen) for name, x in whole.items()}, len(places))
        else:
            yield from ahead(Batch(self._place(self.part.take(own)), len(places)) for places, own in shared)

    def _place(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Tensor]:
        placed = {}
        for name, array in arrays.items():
            tensor = torch.from_numpy(np.ascontiguousarray(array))
            if self.device.type == "cuda":
                tensor = tensor.pin_memory()
            placed[name] = tensor.to(self.device, self.types.get(name, tensor.dtype), non_blocking=True)
        return placed


def _room(device: torch.device) -> float:
    """How many bytes of data may lie on the device."""
    if device.type == "cuda":
        return SHARE * torch.cuda.mem_get_info(device)[0]
    return float("inf")
