"""Where training went astray: the step and the layer at which the first number was none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nndsl.ir.graph import LayerUse, Model
from nndsl.runtime.engine import Batch
from nndsl.runtime.torch_engine import TorchEngine
from nndsl.targets.names import attribute_name


@dataclass(frozen=True)
class Lost:
    """`what` of which module (by torch's name; empty for the whole model) was no number first."""

    what: str
    module: str


class Found(Exception):
    """The first number that is none has been found."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(lost)
        self.lost = lost


class Watched:
    """An engine whose every step is looked at: `train` raises Found."""

    def __init__(self, engine: TorchEngine) -> None:
        self.engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def train(self, batch: Batch) -> None:
        for found in self.engine.world.of_each(_step(self.engine, batch)):
            if found is not None:
                raise Found(Lost(*found))


def _step(engine: TorchEngine, batch: Batch) -> tuple[str, str] | None:
    """One step of training, looked at everywhere."""
    seen: list[str] = []
    with _listening(engine.net, seen):
        engine.train(batch)
    if seen:
        return "the output of", seen[0]
    parameters = list(engine.net.named_parameters())
    # Backward meets the last layers first: the gradient that was lost first is that of the last of them.
    for name, parameter in reversed(parameters):
        if parameter.grad is not None and not _finite(parameter.grad):
            return "the gradient of", name.rpartition(".")[0]
    if not _finite(torch.tensor(engine.loss())):
        return "the loss", ""
    for name, parameter in parameters:
        if not _finite(parameter):
            return "a weight of", name.rpartition(".")[0]
    return None


@contextmanager
def _listening(net: nn.Module, seen: list[str]) -> Iterator[None]:
    def listener(name: str) -> Any:
        def look(module: nn.Module, given: Any, result: Any) -> None:
            if not all(map(_finite, _tensors(result))) and all(map(_finite, _tensors(given))):
                seen.append(name)

        return look

    handles = [module.register_forward_hook(listener(name)) for name, module in net.named_modules() if name]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _tensors(value: Any) -> Iterator[Tensor]:
    match value:
        case Tensor():
            yield value
        case dict():
            for item in value.values():
                yield from _tensors(item)
        case list() | tuple():
            for item in value:
                yield from _tensors(item)


def _finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def layer_of(model: Model, module: str) -> LayerUse | None:
    """The layer of the file that a module of the program stands for."""
    wanted = module.replace(".", "_")
    named = {attribute_name(use.path): use for use in model.layers}
    while wanted:
        if wanted in named:
            return named[wanted]
        wanted = wanted.rpartition("_")[0]
    return None
