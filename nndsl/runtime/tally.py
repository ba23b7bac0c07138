"""Losses and metrics gathered over batches, on the device, without a look at them at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nndsl.ir.graph import Output

if TYPE_CHECKING:  # who trains with Keras needs no torch
    from torch import Tensor, nn


@dataclass(frozen=True)
class OutputResult:
    """One output's numbers over some rows; `weighted` is what it adds to the whole loss."""

    name: str
    loss: float
    weight: float
    weighted: float
    metrics: dict[str, float]


@dataclass(frozen=True)
class Result:
    """`loss` is what training minimises, `penalties` the part of it that no output has."""

    loss: float
    outputs: tuple[OutputResult, ...]
    samples: int
    named: bool  # whether metrics bear the name of their output: the model has several, with or without a loss

    @property
    def penalties(self) -> float:
        return self.loss - sum(output.weighted for output in self.outputs)

    def logs(self, prefix: str = "") -> dict[str, float]:
        """The numbers under Keras's names: `loss`, `age_loss`, `gender_accuracy`; with one output, `accuracy`."""
        logs = {f"{prefix}loss": self.loss}
        for output in self.outputs if len(self.outputs) > 1 else ():
            logs[f"{prefix}{output.name}_loss"] = output.loss
        for output in self.outputs:
            title = f"{prefix}{output.name}_" if self.named else prefix
            logs |= {f"{title}{name}": value for name, value in output.metrics.items()}
        return logs


def result_of(
    outputs: Sequence[Output], numbers: Mapping[str, float], penalty: float, samples: int, *, named: bool
) -> Result:
    """The numbers of an emitted program, which have Keras's names, by output."""
    found = []
    for output in outputs:
        title = f"{output.name}_" if named else ""
        labels = [label for metric in output.metrics for label in metric.labels(output.value.type)]
        metrics = {label: numbers[title + label] for label in labels}
        if len(outputs) > 1:
            loss = numbers[f"{output.name}_loss"]
            weighted = output.weight * loss
        else:
            weighted = numbers["loss"] - penalty
            loss = weighted / output.weight if output.weight else 0.0
        found.append(OutputResult(output.name, loss, output.weight, weighted, metrics))
    return Result(numbers["loss"], tuple(found), samples, named)


class Tally:
    """Adds up batches of an emitted program, as in Keras: totals (tensors with axes) as they are, means by the number
    of samples."""

    def __init__(self, module: ModuleType, outputs: list[Output], *, named: bool) -> None:
        self.module: Any = module
        self.outputs, self.named = outputs, named
        self.sums: dict[str, Tensor] = {}
        self.penalties: Tensor | float = 0.0
        self.samples = 0

    def add(self, size: int, values: dict[str, Tensor]) -> None:
        """The numbers of a batch of `size` samples; none of them counts where there are no samples."""
        for name, value in values.items():
            own = value.detach()
            part = own * (1 if own.dim() else size) if size else own.new_zeros(own.shape)
            self.sums[name] = self.sums.get(name, 0) + part
        self.samples += size

    def add_penalty(self, model: nn.Module, size: int) -> None:
        """The part of the loss of the batch just added that no output has: of interest in results alone."""
        if size and hasattr(self.module, "penalty"):
            self.penalties = self.penalties + self.module.penalty(model).detach() * size

    def loss(self) -> float:
        """The mean loss so far; nan where nothing was added."""
        return float(self.sums["loss"]) / self.samples if self.samples else float("nan")

    def state(self) -> dict[str, Any]:
        """What was added, without penalties: training has none."""
        return {"sums": self.sums, "samples": self.samples}

    def result(self) -> Result:
        sums = {name: value.cpu().double() for name, value in self.sums.items()}
        means = {name: value if value.dim() else value / self.samples for name, value in sums.items()}
        if hasattr(self.module, "results"):
            numbers = self.module.results(means)
        else:
            numbers = {name: float(mean) for name, mean in means.items()}
        penalty = float(self.penalties) / self.samples
        return result_of(self.outputs, numbers, penalty, self.samples, named=self.named)
