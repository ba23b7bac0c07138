"""Outputs on held-out data, beside what should have come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Bools: TypeAlias = npt.NDArray[np.bool_]
Ids: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Judged:
    """One output with a loss over held-out data.

    `prediction` is [samples, …] as the model gives it (probabilities, or logits with `from_logits`), `target` is as the
    loss takes it: class ids [samples, …] or [samples, …, 1], one-hot rows, 0 and 1 (or -1 and 1), numbers. `loss` is
    the loss in snake case. `classes` are names of classes, or of the columns of a regression. `ignore_class` is the
    argument of the loss; `mask` [samples, …] says which steps count.
    """

    output: str
    prediction: Array
    target: Array
    loss: str
    classes: list[str] | None = None
    from_logits: bool = False
    ignore_class: int | None = None
    mask: Array | None = None

    def name_of(self, place: int) -> str:
        return self.classes[place] if self.classes is not None and place < len(self.classes) else str(place)
