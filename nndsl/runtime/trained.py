"""A trained model, out of the folder of its run: evaluated on data, or asked for predictions."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nndsl.diagnostics.suggest import did_you_mean
from nndsl.interop import convert
from nndsl.ir.graph import Input, Model, Submodel
from nndsl.layers.families.losses import Hinge, SquaredHinge
from nndsl.runtime.dataset import apply
from nndsl.runtime.earlier import check_unchanged, planned, saved_model, steps_before
from nndsl.runtime.engine import Array, Engine, Rowed
from nndsl.runtime.engines import build
from nndsl.runtime.loop import Plan
from nndsl.runtime.options import Options, check_batch, check_there, recorded
from nndsl.runtime.outcome import evaluated, held_out_part, predicted
from nndsl.runtime.prepared import load_data, set_precision
from nndsl.runtime.report import Unavailable
from nndsl.runtime.run_folder import WEIGHTS, RunFolder
from nndsl.runtime.slots import trained as trained_outputs
from nndsl.runtime.tally import Result


@dataclass(frozen=True)
class Trained:
    """The model of a run with its weights; `classes` are the names of classes by output."""

    folder: RunFolder
    model: Model
    engine: Engine
    options: Options
    plan: Plan
    learnt: dict[str, Any]
    classes: dict[str, list[str]]

    @property
    def middles(self) -> dict[str, float]:
        """By output of one number for yes or no: the number above which it is yes."""
        return {output.name: _middle(output.loss) for output in trained_outputs(self.model)}


def _middle(loss: Any) -> float:
    return 0.0 if getattr(loss, "from_logits", False) or isinstance(loss, (Hinge, SquaredHinge)) else 0.5


def open_run(path: str, *, device: str = "auto", batch_size: int | None = None) -> Trained:
    """Raises Unavailable, RunFailed, and what `nndsl.interop.convert.load` raises."""
    folder = RunFolder.open(path)
    program, model = saved_model(folder)
    if "cross_validation" in model.training.given:
        raise Unavailable(
            f"`{folder.path}` is a cross-validation, which keeps no weights",
            "train the model without `cross_validation`",
        )
    options = replace(recorded(folder.about), device=device)
    set_precision(model, options)
    plan = planned(folder, options, model)
    if batch_size is not None:
        check_batch(model, batch_size, "leave --batch-size out")
        plan = replace(plan, batch=batch_size)
    data = folder.data()
    weights = convert.load(folder.file(WEIGHTS), program, model, alone=True)
    engine = build(program, model, options, plan).engine(plan.seed)
    engine.start_from(weights)
    classes = data.get("classes")
    return Trained(
        folder, model, engine, options, plan, _dict(data.get("transforms")),
        {name: [str(item) for item in items] for name, items in _dict(classes).items() if isinstance(items, list)},
    )  # fmt: skip


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def evaluate(trained: Trained, given: str | None) -> tuple[str, int, Result]:
    """What the data are called, how many samples, and the numbers: of a file, or of the data that the run held out.
    Raises Unavailable, RunFailed."""
    model, plan = trained.model, trained.plan
    part: Rowed
    if given is not None:
        part, title = apply(model, given, trained.learnt, batch=plan.batch), given
    else:
        options = trained.options
        check_there(options, "name a file: `--data FILE`")
        dataset = load_data(model, options, replace(plan, steps=steps_before(trained.folder)))
        check_unchanged(trained.folder, model, dataset, "name a file: `--data FILE`")
        found = held_out_part(dataset)
        if found is None:
            raise Unavailable("the run held no data out", "name a file: `--data FILE`")
        _, title, part = found
    return title, len(part), evaluated(trained.engine, trained.engine.feed(part), len(part), plan)


def predict(trained: Trained, given: str, submodel: str | None) -> Iterator[dict[str, Array]]:
    """The outputs for the rows of a file, batch by batch, by name. Raises Unavailable, RunFailed."""
    model, plan = trained.model, trained.plan
    chosen = None if submodel is None else _submodel(model, submodel)
    asked = model
    if chosen is not None:
        asked = copy(model)
        asked.inputs = [
            Input(name, value, chosen.span)
            for name, value in zip(chosen.source_names, chosen.sources, strict=True)
        ]  # fmt: skip
        asked.bindings = [binding for binding in model.bindings if binding.name in chosen.source_names]
    part = apply(asked, given, trained.learnt, inputs_only=True, batch=plan.batch)
    yield from predicted(trained.engine, model, trained.engine.feed(part), np.arange(len(part)), plan, chosen)


def _submodel(model: Model, name: str) -> Submodel:
    names = [submodel.name for submodel in model.submodels]
    for submodel in model.submodels:
        if submodel.name == name:
            return submodel
    known = f"it has {', '.join(f'`{item}`' for item in names)}" if names else "it has none"
    raise Unavailable(f"`{model.name}` has no submodel `{name}`", did_you_mean(name, names) or known)
