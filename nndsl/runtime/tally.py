"""Losses and metrics gathered over batches, on the device, without a look at them at every step."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from nndsl.ir.graph import Output


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


class Tally:
    """Adds up batches of an emitted program; each counts by its number of samples, as in Keras."""

    def __init__(self, module: ModuleType, outputs: list[Output], *, named: bool) -> None:
        self.outputs, self.named = outputs, named
        self.sums: Tensor | None = None
        self.samples = 0
        make = getattr(module, "make_metrics", None)
        self.metrics: dict[str, dict[str, Any]] = make() if make is not None else {}

    @torch.no_grad()
    def add(
        self, model: nn.Module, batch: dict[str, Tensor], predictions: dict[str, Tensor], losses: dict[str, Tensor],
        total: Tensor,
    ) -> None:  # fmt: skip
        size = len(batch[next(iter(batch))])
        values = torch.stack([total.detach(), *(losses[output.name].detach() for output in self.outputs)]) * size
        self.sums = values if self.sums is None else self.sums + values
        self.samples += size
        masks: Any = getattr(model, "output_masks", {})  # of the batch just computed
        for name, group in self.metrics.items():
            prediction, target = predictions[name], batch[name]
            if name in masks:
                prediction, target = prediction[masks[name]], target[masks[name]]
            for metric in group.values():
                metric.update(prediction, target)

    def loss(self) -> float:
        """The mean loss so far; nan where nothing was added."""
        return float(self.sums[0]) / self.samples if self.sums is not None else float("nan")

    def logs(self) -> dict[str, float]:
        """The numbers so far, under Keras's names."""
        return self.result().logs()

    def result(self) -> Result:
        assert self.sums is not None
        total, *losses = (float(value) / self.samples for value in self.sums)
        outputs = tuple(
            OutputResult(
                output.name,
                loss,
                output.weight,
                output.weight * loss,
                {name: metric.result() for name, metric in self.metrics.get(output.name, {}).items()},
            )
            for output, loss in zip(self.outputs, losses, strict=True)
        )
        return Result(total, outputs, self.samples, self.named)
