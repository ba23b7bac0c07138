"""How several processes compute the loss of one batch so that its gradient is that of one process.

N processes have n_1 + … + n_N = n rows of a batch. DistributedDataParallel (and FSDP2) gives every process the mean of
the gradients that the processes computed, (1/N) sum_r g_r. That is the gradient of the loss L of the whole batch where
sum_r g_r = N ∇L. There are two ways to it:

- L is a mean over samples (and terms of the weights alone, which are the same everywhere): L = sum_r (n_r/n) L_r. Each
  process computes L_r of its own rows and multiplies by n_r N/n: (1/N) sum_r (n_r N/n) ∇L_r = ∇L. A term P(w) of the
  weights comes out as (1/N) sum_r (n_r N/n) ∇P = ∇P. A process without rows takes one with the factor 0.
- Any other loss (of places under a mask, of sums over the batch, of weights that are divided by their sum) is a
  function L(y_1, …, y_N, w) of the outputs of all processes. Each runs the model on its own rows, all exchange the
  outputs, and each computes the same L. If process r lets g_r = N (∂L/∂y_r) (∂y_r/∂w) + ∂L/∂w flow into the weights,
  the mean is sum_r (∂L/∂y_r) (∂y_r/∂w) + ∂L/∂w = ∇L. Each knows ∂L/∂y_r without asking, since all compute the same L:
  backward through the exchange is to take the own rows, times N. A penalty A of what layers put out, a mean over the
  rows of a process, is exchanged in the same way: as sum_r (n_r/n) A_r.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from nndsl import code
from nndsl.ir.graph import Model, Output
from nndsl.runtime.slots import trained
from nndsl.runtime.world import World


def is_mean(model: Model) -> bool:
    """Whether the losses of a batch are means over its samples, and its metrics means or sums."""
    weighted = "class_weight" in model.training.given
    return all(_is_mean(output, weighted or output.weights is not None) for output in trained(model))


def _is_mean(output: Output, weighted: bool) -> bool:
    loss, type_ = output.loss, output.value.type
    return not (
        type_.mask
        or loss.reduction == "sum"
        or (weighted and loss.reduction == "mean_with_sample_weight")
        or loss.valid(code.Name("target")) is not None
        or loss.joint(type_.rank)
        or any(metric.joint for metric in output.metrics)
    )


class _Exchange(torch.autograd.Function):
    """The rows of all processes, of the rows of each; backward as the module's docstring derives it."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, world: World, sizes: list[int], alike: bool) -> Tensor:
        ctx.world, ctx.sizes, ctx.alike = world, sizes, alike
        # gloo knows no bool and no bfloat16; both fit into what is sent instead.
        sent = {torch.bool: torch.uint8, torch.bfloat16: torch.float32, torch.float16: torch.float32}.get(own.dtype)
        padded = own.new_zeros((max(sizes), *own.shape[1:]), dtype=sent or own.dtype)
        padded[: len(own)] = own
        found = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(found, padded)
        return torch.cat([rows[:size] for rows, size in zip(found, sizes, strict=True)]).to(own.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        own = ctx.world.own(ctx.sizes)
        if ctx.alike:
            return gradients[0][own] * ctx.world.count, None, None, None
        summed = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(summed)
        return summed[own], None, None, None


def exchanged(own: Tensor, world: World, sizes: list[int], *, alike: bool = True) -> Tensor:
    """The rows of all processes, one behind the other: all. `alike`: every process computes the same of them; else
    backward adds up what the processes made of these rows."""
    found: Tensor = _Exchange.apply(own, world, sizes, alike)  # type: ignore[no-untyped-call]
    return found


class Gathered:
    """A model that takes the inputs of a whole batch, works on the own rows, and gives the outputs for all. What
    `measure` and `penalty` of the emitted program read of a model after a call is that of all rows, too."""

    def __init__(self, net: nn.Module, world: World) -> None:
        self.net, self.world = net, world

    def __getattr__(self, name: str) -> Any:
        return getattr(self.net, name)

    def __call__(self, *inputs: Tensor, **options: Any) -> Any:
        rows = len(inputs[0])
        sizes = self.world.sizes(rows)
        size = sizes[self.world.rank]
        own = self.world.own(sizes) if size else slice(0, 1)
        found = self.net(*(x[own] for x in inputs), **options)
        if hasattr(self.net, "activity_penalty"):
            penalty: Any = self.net.activity_penalty
            parts = exchanged((penalty * (size / rows)).reshape(1), self.world, [1] * self.world.count)
            self.activity_penalty = parts.sum()
        if hasattr(self.net, "output_masks"):
            masks: Any = self.net.output_masks
            self.output_masks = {name: exchanged(mask[:size], self.world, sizes) for name, mask in masks.items()}
        return {name: exchanged(y[:size], self.world, sizes) for name, y in found.items()}


class Step(nn.Module):
    """A training step's numbers as a module: DistributedDataParallel sees by what it gives which weights have a part in
    the loss, and waits for their gradients alone."""

    def __init__(self, program: Any, net: nn.Module, world: World, *, mean: bool) -> None:
        super().__init__()
        self.net = net
        self.program, self.world, self.mean = program, world, mean
        self.gathered = Gathered(net, world)
        self.sizes = [0] * world.count  # of the batch at hand

    @property
    def measured(self) -> Any:
        """What `measure` takes for the model."""
        return self.net if self.mean else self.gathered

    def forward(self, batch: dict[str, Tensor], rows: int) -> tuple[Tensor, dict[str, Tensor]]:
        """(the loss to go back from, all numbers as they are) of a batch with `rows` in all processes together."""
        self.sizes = self.world.sizes(rows)
        values = self.program.measure(self.measured, batch)
        loss: Tensor = values["loss"]
        if self.mean:
            loss = loss * (self.sizes[self.world.rank] * self.world.count / rows)
        return loss, {name: value.detach() for name, value in values.items()}
