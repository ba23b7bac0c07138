"""Weight files of Keras (.weights.h5, .keras) by canonical name, and back.

Keras names the arrays in its files by class and place ("layers/dense_1/vars/0"). Which is which is not worked out but
asked of the Keras that is installed: a worker builds the emitted program and saves weights that are marked.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from nndsl.interop import hdf5_file, workers
from nndsl.interop.contents import Array, Contents, Item, Wanted, Weights, compare, taken
from nndsl.interop.optimizer_names import ITERATIONS, counts_steps, plan
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.layers.families.optimizer_maps import MultiOptimizer
from nndsl.layers.optimizing import Optimizer
from nndsl.passes.weight_layout import changed, layout, plain
from nndsl.targets.keras import emit_keras
from nndsl.targets.training_settings import trains

_MODULE = "nndsl.interop.keras_files"


def to_canonical(contents: Contents, path: str, program: CheckedProgram, model: Model, *, alone: bool) -> Weights:
    """The weights of a file by canonical name, and the optimizer's state but for `alone`. Raises WrongWeights,
    workers.FrameworkMissing, workers.WorkerFailed."""
    [answer] = workers.run([_task(program, model, trained=trains(model))])
    places = answer.data["places"]
    wanted = {
        item["place"]: Wanted(tuple(item["shape"]), item["dtype"], item["name"]) for item in places if item["name"]
    }
    others = [item["place"] for item in places if not item["name"]]
    weights = {place: want for place, want in wanted.items() if not place.startswith(hdf5_file.STATE)}
    state = {place: want for place, want in wanted.items() if place.startswith(hdf5_file.STATE)}
    owner = f"`{model.name}`"
    warnings = compare(contents.weights, weights, file=path, owner=owner, code="NN1002", ignored=others)
    found = Weights({w.known: taken(contents.weights[p], w) for p, w in weights.items()}, warnings=warnings)
    if state and not alone and _has_begun(contents.state, model.training.optimizer):
        compare(
            contents.state, state, file=f"the state of the optimizer in {path}",
            owner=f"the {type(model.training.optimizer).__name__} of {owner}", code="NN1004",
            help="`--weights-only` leaves the state out", ignored=others,
        )  # fmt: skip
        found.state = {want.known: taken(contents.state[place], want) for place, want in state.items()}
    return found


def _has_begun(state: Mapping[str, Item], entry: Optimizer) -> bool:
    """Whether there is a state: an optimizer that was never used has its two first variables alone, at 0 steps, and a
    MultiOptimizer those of all its parts."""
    if len(state) > 2 and not isinstance(entry, MultiOptimizer):
        return True
    return any(item.load().any() for item in state.values() if item.dtype == "int64")


def packed(weights: Weights, program: CheckedProgram, model: Model, ending: str) -> bytes:
    """The file as Keras writes it for the emitted program, as bytes; `ending` is ".weights.h5" or ".keras". A whole
    model that trains is compiled, with a fresh optimizer where `weights` has no state."""
    trained = trains(model) and (bool(weights.state) or ending == ".keras")
    state = dict(weights.state)
    if state and not counts_steps(model.training.optimizer):
        state.setdefault(ITERATIONS, np.asarray(0))
    with tempfile.TemporaryDirectory(prefix="nndsl-") as folder:
        path = os.path.join(folder, f"model{ending}")
        workers.run([_task(program, model, trained=trained, write=path, arrays=weights.values | state)])
        with open(path, "rb") as stream:
            return stream.read()


def _task(
    program: CheckedProgram, model: Model, *, trained: bool, write: str | None = None,
    arrays: dict[str, Array] | None = None,
) -> workers.Task:  # fmt: skip
    layers = layout(model)
    request: dict[str, Any] = {
        "layout": plain(layers),
        "optimizer": plan(model.training.optimizer, changed(layers)) if trained else None,
        "write": write,
    }
    return workers.Task("keras", _MODULE, emit_keras(program, model.name), request, arrays or {})
