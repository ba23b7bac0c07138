"""A device whose memory is full, told in words, with the batch size that would fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nndsl.runtime.engine import Batch
from nndsl.runtime.full import full, largest_that_fits
from nndsl.runtime.report import DataProblem, RunFailed

if TYPE_CHECKING:
    from nndsl.runtime.torch_engine import TorchEngine


@contextmanager
def memory_watched(engine: TorchEngine, batch: Batch | None = None) -> Iterator[None]:
    """Raises RunFailed where the memory is full, in place of torch's error."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _is_full(error):
            raise
        tensors = dict(batch.tensors) if batch is not None else {}
        raised = error.with_traceback(None)  # its frames hold what the batch took
        del error
        problem = _full(engine, tensors)
        del raised
    else:
        return
    raise RunFailed.one(problem)


def _is_full(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def _full(engine: TorchEngine, tensors: dict[str, Tensor]) -> DataProblem:
    tensors = {} if engine.world.joined else tensors  # the others would have to try along
    fits = _largest_that_fits(engine, tensors) if tensors else None
    return full(engine.model, engine.batch, gpu=engine.device.type == "cuda", fits=fits)


def _largest_that_fits(engine: TorchEngine, tensors: dict[str, Tensor]) -> int:
    engine.optimizer.zero_grad(set_to_none=True)
    whole = len(next(iter(tensors.values())))
    return largest_that_fits(whole, lambda rows: _fits(engine, {name: x[:rows] for name, x in tensors.items()}))


def _fits(engine: TorchEngine, tensors: dict[str, Tensor]) -> bool:
    """Whether the memory holds a forward and a backward pass, without a step."""
    if engine.device.type == "cuda":
        torch.cuda.empty_cache()
    try:
        values: dict[str, Any] = engine.program.measure(engine.net, tensors)
        values["loss"].backward()
        return True
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _is_full(error):
            raise
        return False
    finally:
        engine.optimizer.zero_grad(set_to_none=True)
