"""`nndsl verify`: runs both emitted programs of a model on the same weights and data, and compares all that they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl import pipeline
from nndsl.diagnostics.model import Problems, Severity
from nndsl.interop import verify_data, workers
from nndsl.interop.verify_compare import Row
from nndsl.interop.verify_rows import BATCH_MEANS, rows
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.passes.definitions import Reader
from nndsl.passes.weight_layout import layout, plain
from nndsl.targets.torch import TorchUnit, compile_torch
from nndsl.targets.training_settings import settings

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

FLOATS = ("float64", "float32")
_MODULE = "nndsl.interop.verify_worker"
_BATCH, _LAST = 5, 3  # samples of a step of training, and of the last one of an epoch
_LONGEST_EPOCH = 6


class NotVerified(Exception):
    """The model cannot be verified at all; the text says why."""


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `weights` are by canonical name, all that the model has; None for random ones."""

    floats: tuple[str, ...] = FLOATS
    steps: int = 20
    seed: int = 0
    inline: bool = False
    model: str | None = None
    weights: Mapping[str, npt.NDArray[Any]] | None = None


@dataclass(frozen=True)
class Report:
    """The table: its rows, and whom it is about. `steps` is how many steps were trained."""

    model: str
    rows: list[Row]
    versions: dict[str, str]
    steps: int
    seed: int
    parameters: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not any(row.status == "failed" for row in self.rows)


def emit(program: CheckedProgram, model: str | None, inline: bool) -> tuple[TorchUnit, str]:
    """The two programs that are compared. (Tests put faults in here.)"""
    return compile_torch(program, model, inline), pipeline.emit(program, "keras", model, inline=inline)


def verify(
    program: CheckedProgram,
    reader: Reader,
    params: Mapping[str, str],
    options: Options,
    progress: Callable[[str, str], None] | None = None,
) -> Report:
    """Compares both programs of a model. `reader` and `params` are what `program` was checked with: it is checked
    again for each float type. Raises NotVerified, and what `workers.run` raises."""
    model = program.find(options.model)
    weights = options.weights
    if weights is None:
        weights = verify_data.random_weights(layout(model), options.seed)
    texts: dict[str, dict[str, str]] = {"torch": {}, "keras": {}}
    floats, left_out = [], {}
    for dtype in options.floats:
        problems = Problems()
        checked = pipeline.check(program.file, problems, reader, params, float_dtype=dtype)
        if checked is None:
            left_out[dtype] = next(problem.message for problem in problems if problem.severity is Severity.ERROR)
            continue
        _plain_training(checked.find(options.model))
        unit, keras = emit(checked, options.model, options.inline)
        name = f"program_{dtype}"
        texts["torch"][name], texts["keras"][name] = unit.text, keras
        state = [[e.key, e.path, [[kind, list(n)] for kind, n in e.steps], list(e.shape)] for e in unit.state]
        floats.append(
            {
                "float": dtype,
                "program": name,
                "class": unit.class_name,
                "state": state,
                "layout": plain(layout(checked.find(options.model))),
            }
        )
    request, arrays = _request(model, options)
    request["floats"] = floats
    arrays |= {f"weight|{path}": value for path, value in weights.items()}
    in_torch, in_keras = workers.run(
        [workers.Task(kind, _MODULE, texts[kind], {**request, "side": kind}, arrays) for kind in ("torch", "keras")],
        progress,
    )
    refused = [Row("all", dtype, "not run", note=why) for dtype, why in left_out.items()]
    return Report(
        model=model.name,
        rows=refused + rows(request, in_torch, in_keras),
        versions={**in_torch.data["versions"], **in_keras.data["versions"]},
        steps=int(request["train"]["steps"]) if request["train"] else 0,
        seed=options.seed,
        notes=[*_said(model), *_notes(request, in_keras)],
        parameters=sum(int(np.prod(value.shape)) for value in weights.values()),
    )


def _plain_training(model: Model) -> None:
    """Leaves out callbacks that write files."""
    given = model.training.given
    if "callbacks" in given:
        given["callbacks"] = tuple(callback for callback in given["callbacks"] if not callback.written)


def _said(model: Model) -> list[str]:
    half = model.training.half
    return [f"in full precision, without `precision = {half}`: two ways to round differ in it"] if half else []


def _notes(request: Mapping[str, Any], keras: workers.Answer) -> list[str]:
    """What a reader of the table has to know."""
    types = [str(spec["float"]) for spec in request["floats"]]
    found = [f"{dtype}: {note}" for dtype in types for note in keras.data[dtype]["notes"]]
    return [BATCH_MEANS + ", ".join(request["losses"]), *found] if request["losses"] else found


def _request(model: Model, options: Options) -> tuple[dict[str, Any], Arrays]:
    """What both workers are to do, and the arrays for it."""
    try:
        cases = verify_data.cases(model, options.seed)
        sizes = verify_data.size_sets(model)[0]
    except verify_data.NoSizes as error:
        raise NotVerified(str(error)) from None
    arrays = {f"{case.name}|{name}": array for case in cases for name, array in case.inputs.items()}
    said = settings(model)
    losses = [output.name for output in model.outputs if output.loss is not None]
    trained, batch = bool(losses), model.batch or _BATCH
    last = model.batch or _LAST
    request: dict[str, Any] = {
        "inputs": [item.name for item in model.inputs],
        "cases": {case.name: case.group for case in cases},
        "evaluate": {"batch_size": batch, "data": ["whole", "partial"]} if trained else None,
        "losses": [f"{name}_loss" for name in losses] if len(losses) > 1 and model.batch is None else [],
        "train": None,
    }

    def add(label: str, rows: int, seed: int) -> None:
        found = verify_data.samples(model, sizes, rows, options.seed + seed)
        arrays.update({f"{label}|{name}": array for name, array in found.items()})

    add("step", batch, 1)
    if trained:
        per_epoch = _per_epoch(options.steps)
        add("whole", 2 * batch, 2)
        add("partial", 2 * batch + last, 5)
        add("train", (per_epoch - 1) * batch + last, 3)
        add("held", batch + last, 4)
        request["train"] = {
            "steps": options.steps,
            "per_epoch": per_epoch,
            "evaluate_every": said["evaluate_every"],
            "printed": said["steps"] is not None,
            "batch_size": batch,
            "seed": options.seed,
        }
    return request, arrays


def _per_epoch(steps: int) -> int:
    """How many steps make an epoch: few, so that there are several epochs, each with a smaller last batch."""
    return next((count for count in (5, 4, 6, 3, 2) if steps % count == 0), steps)
