"""Looks at each step of a torch model, for the layer at which the first number was none."""

from __future__ import annotations

import linecache
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nndsl.runtime.engine import Batch
from nndsl.runtime.lost import LOSS, Found, Lost
from nndsl.runtime.torch_engine import TorchEngine


class Watched:
    """An engine whose every step is looked at: `train` raises Found."""

    def __init__(self, engine: TorchEngine) -> None:
        self.engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def train(self, batch: Batch) -> None:
        found = [lost for lost in self.engine.world.of_each(_step(self.engine, batch)) if lost is not None]
        if found:  # a gradient is lost in all processes, once it is in one
            raise Found(min(found, key=lambda lost: lost.what != "the output of"))


def _step(engine: TorchEngine, batch: Batch) -> Lost | None:
    """One step of training, looked at everywhere. What is lost on the way counts only where it is seen in the end: a
    layer may take the logarithm of all numbers and choose those that have one."""
    with _listening(engine.net) as modules, _Forward(engine, modules) as forward:
        engine.train(batch)
    lost = _gradient_or_weight(engine)
    if lost is None and math.isfinite(engine.tally.loss()):
        return None
    return forward.lost or lost or Lost(LOSS, "")


def _gradient_or_weight(engine: TorchEngine) -> Lost | None:
    """The first gradient that was lost, or weight."""
    parameters = list(engine.net.named_parameters())
    # Backward meets the last layers first: the gradient that was lost first is that of the last of them. Where losses
    # are scaled, the step was left out, and the next ones have a smaller scale.
    for name, parameter in reversed(parameters) if engine.scaler is None else ():
        if parameter.grad is not None and not _finite(parameter.grad):
            return Lost("the gradient of", name.rpartition(".")[0])
    for name, parameter in parameters:
        if not _finite(parameter):
            return Lost("a weight of", name.rpartition(".")[0])
    return None


class _Forward(TorchFunctionMode):
    """Looks at every function of torch: the first that makes numbers that are none of numbers that are some, unless
    another one chooses others."""

    def __init__(self, engine: TorchEngine, modules: list[str]) -> None:
        super().__init__()
        self.net, self.file, self.modules = engine.net, engine.loaded.module.__file__, modules
        self.lost: Lost | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        made = list(_tensors(result))
        if all(map(_finite, _tensors(args))):
            if self.lost is None and not all(map(_finite, made)):
                line, text = self._place()
                if line:
                    self.lost = Lost("the output of", self.modules[-1] if self.modules else "", line, text)
        elif any(tensor.is_floating_point() for tensor in made) and all(map(_finite, made)):
            self.lost = None  # it went no further
        return result

    def _place(self) -> tuple[int, str]:
        """The line of the emitted program that is at work: that of the model or of its penalties, not of a helper
        in it."""
        frame: FrameType | None = sys._getframe(1)
        found = 0, ""
        while frame is not None:  # the outermost is the last that is met
            if frame.f_code.co_filename == self.file:
                found = frame.f_lineno, linecache.getline(self.file, frame.f_lineno).strip()
                of_model = frame.f_code.co_name == "forward" and frame.f_locals.get("self") is self.net
                if of_model or frame.f_code.co_name == "penalty":
                    break
            frame = frame.f_back
        return found


@contextmanager
def _listening(net: nn.Module) -> Iterator[list[str]]:
    """The names of the modules that are at work, the innermost last."""
    at_work: list[str] = []
    handles = []
    for name, module in net.named_modules():
        if name:
            handles.append(module.register_forward_pre_hook(lambda *_, name=name: at_work.append(name)))
            handles.append(module.register_forward_hook(lambda *_: at_work.pop() and None, always_call=True))
    try:
        yield at_work
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
