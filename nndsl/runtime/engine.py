"""What the training loop asks of a framework. `torch_engine` and `keras_engine` are the two answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.interop.contents import Weights
from nndsl.ir.graph import Submodel
from nndsl.runtime.tally import Result
from nndsl.runtime.trees import Tree

Array: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = npt.NDArray[np.intp]


class Rowed(Protocol):
    """Rows of data: `nndsl.runtime.parts.Part`."""

    @property
    def nbytes(self) -> int: ...

    @property
    def resident(self) -> bool: ...

    def __len__(self) -> int: ...

    def take(self, places: Rows) -> dict[str, Array]: ...


@dataclass(frozen=True)
class Batch:
    """Some rows as the framework's tensors, by the names of inputs, targets and weights. `size` is their number, in all
    processes together."""

    tensors: Mapping[str, Any]
    size: int


Feeding: TypeAlias = Callable[[Iterable[Rows]], Iterator[Batch]]
"""How the rows of a part come to the device: a function from places of rows to batches."""


class Engine(Protocol):
    """A model of an emitted program with its optimizer, on a device."""

    def feed(self, part: Rowed) -> Feeding:
        """Brings the rows of a part to the device, all of them at once where they fit."""

    def begin(self) -> None:
        """Numbers are gathered anew, and what follows is training."""

    def train(self, batch: Batch) -> None:
        """One step."""

    def loss(self) -> float:
        """The mean loss since `begin`, 0 where nothing was gathered; waits for the device."""

    def sound(self) -> bool:
        """Whether the weights that are trained are numbers; waits for the device."""

    def logs(self) -> dict[str, float]:
        """The numbers since `begin`, under Keras's names."""

    def learning_rate(self) -> float | None:
        """The rate of the last step; None where there is no such number."""

    def evaluate(self, batches: Iterable[Batch], *, keep_state: bool = False) -> Result:
        """Losses and metrics. A stateful model begins with a fresh state, and gets its own back where `keep_state`.
        What `begin` began goes on behind it."""

    def predict(self, batches: Iterable[Batch], part: Submodel | None = None) -> Iterator[dict[str, Array]]:
        """The outputs for each batch, by name; those of the submodel `part`."""

    def masks(self) -> dict[str, Array]:
        """Which steps of the outputs count, of the batch that was predicted last, by output; those without a mask are
        left out."""

    def reset_state(self) -> None:
        """A stateful model forgets."""

    def write_below(self, folder: str) -> None:
        """Has callbacks that write files do so in a folder."""

    def after_epoch(self, epoch: int, logs: dict[str, float]) -> bool:
        """Lets the callbacks look, which may add to `logs`; whether one of them ends training."""

    def after_training(self) -> None:
        """What callbacks and optimizer do at the end: best weights, averages."""

    def state(self) -> Tree:
        """All that training needs to go on to the bit."""

    def put_state(self, state: Tree) -> None:
        """What `state` gave, of this run."""

    def learnt(self) -> Weights:
        """The weights and the state of the optimizer by canonical name."""

    def start_from(self, weights: Weights) -> None:
        """Goes on from the weights of a file, and from the state of its optimizer, if there is one."""
