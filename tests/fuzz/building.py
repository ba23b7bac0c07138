"""Programs that are right build in PyTorch, with the shapes, dtypes and numbers of parameters that were predicted."""

from __future__ import annotations

import sys
import warnings
from math import prod
from random import Random
from typing import Any

import torch

from nndsl.interop import verify_data
from nndsl.interop.modules import import_text
from nndsl.interop.weights import canonical
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.passes.weight_layout import layout
from nndsl.targets.torch import compile_torch
from nndsl.views.summary import Summary, summarize
from tests.fuzz.oracles import Finding
from tests.fuzz.predicted import expected, small_enough


def build_in_torch(program: CheckedProgram, random: Random, *, inline: bool = False) -> bool:
    """Raises Finding where it does not build, or not as predicted; False where it is too large to run."""
    model = program.models[-1]
    found = summarize(model)
    try:
        sizes = dict(verify_data.size_sets(model)[0])
    except verify_data.NoSizes:
        return False
    if not small_enough(found, sizes):
        return False
    rows = model.batch or 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _run(program, model, found, sizes, rows, inline)
    except Finding:
        raise
    except MemoryError:
        return False
    except Exception as error:
        if "memory" in str(error) or "not implemented for 'Half'" in str(error):  # on a CPU
            return False
        if "index out of range in self" in str(error):
            return False  # ids that were computed: an `Embedding` takes those of its data
        if "ZeroDivisionError" in str(error):
            return False  # whole numbers by a 0 among the data, which Keras refuses too
        text = str(error).strip().splitlines() or [""]
        raise Finding("torch", f"{type(error).__name__}: {text[0][:300]}") from error
    return True


def _run(program: CheckedProgram, model: Model, found: Summary, sizes: dict[str, int], rows: int, inline: bool) -> None:
    unit = compile_torch(program, None, inline)
    module = import_text(unit.text, unit.class_name)
    try:
        network: Any = getattr(module, unit.class_name)()
        trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
        if trainable != found.trainable:
            raise Finding("parameters", f"torch trains {trainable}, the summary says {found.trainable}")
        told = {s.path: tuple(s.shape) for layer in layout(model) for s in layer.slots}
        held = {name: tuple(tensor.shape) for name, tensor in canonical(network, unit.state).items()}
        if held != told:
            raise Finding("weights", f"torch has {held}, the layout says {told}")
        if sum(map(prod, held.values())) != found.trainable + found.frozen:
            raise Finding(
                "parameters",
                f"torch has {sum(map(prod, held.values()))}, the summary says {found.trainable} and {found.frozen}",
            )
        arrays = verify_data.inputs(model, sizes, rows, 1)
        floats = getattr(torch, model.float_dtype)
        tensors = [torch.from_numpy(array.copy()) for array in arrays.values()]
        tensors = [t.to(floats) if t.is_floating_point() else t for t in tensors]
        for training in (False, True):
            network.train(training)
            with torch.no_grad():
                results = network(*tensors)
            got = {name: (tuple(y.shape), str(y.dtype).removeprefix("torch.")) for name, y in results.items()}
            if got != expected(model, sizes, rows):
                raise Finding("shapes", f"torch gives {got}, predicted is {expected(model, sizes, rows)}")
    finally:
        sys.modules.pop(module.__name__, None)
