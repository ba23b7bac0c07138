"""What a trained model is worth: its numbers on held-out data, and the files that show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO, TypeAlias

import numpy as np

from nndsl.ir.graph import Model, Submodel
from nndsl.layers.entry import snake_case
from nndsl.runtime.dataset import Dataset
from nndsl.runtime.engine import Array, Batch, Engine, Rowed, Rows
from nndsl.runtime.folds import labels_of
from nndsl.runtime.loop import History, Plan, batches_of
from nndsl.runtime.parts import Part
from nndsl.runtime.reports.folders import METRICS
from nndsl.runtime.reports.gathering import Gathering
from nndsl.runtime.results import table
from nndsl.runtime.slots import trained
from nndsl.runtime.tally import Result

if TYPE_CHECKING:
    from nndsl.runtime.session import Session

Scatters: TypeAlias = dict[str, tuple[Array, Array | None]]

DRAWN = 20_000
"""How many points of a submodel's plane are drawn at most."""


def judge(session: Session, history: History, stream: TextIO) -> Result | None:
    """Evaluates on the test part, or on the validation part where there is no other; says the numbers, and fills the
    folder with them and with pictures. Raises RunFailed, CannotWrite."""
    from nndsl.runtime.reports.metrics import metrics_of, write_metrics
    from nndsl.runtime.reports.write import write_reports

    results: dict[str, Result] = {}
    judged: list[Gathering] = []
    scatters: Scatters = {}
    classes: dict[str, list[str]] = {}
    found = held_out_part(session.dataset)
    if found is None:
        stream.write(
            "no data is held out: `with test=0.2` behind the source judges the model on rows it has not seen\n"
        )
    else:
        name, title, part = found
        result = results[name] = evaluated(session.engine, part, session.plan)
        stream.write(f"{title}, {len(part):,} samples:\n{table(result)}\n")
        judged = _gathered(session, part)
        scatters, classes = _scatters(session, part)
    if not session.folder.writes:
        return next(iter(results.values()), None)
    if results:
        write_metrics(session.folder.file(METRICS), results)
    write_reports(
        session.folder.path, session.model.name, history, judged, scatters,
        session.folder.about | {"results": metrics_of(results)}, classes,
        note=lambda text: session.progress.say(f"note: {text}"),
    )  # fmt: skip
    return next(iter(results.values()), None)


def held_out_part(dataset: Dataset) -> tuple[str, str, Part] | None:
    """What judges the model: (name in metrics.json, title, rows)."""
    for name, title in (("test", "held-out data"), ("validation", "validation data")):
        part: Part = getattr(dataset, name)
        if len(part):
            return name, title, part
    return None


def evaluated(engine: Engine, part: Rowed, plan: Plan) -> Result:
    """Losses and metrics over all rows of a part."""
    return engine.evaluate(engine.feed(part)(batches_of(np.arange(len(part)), plan)))


def predicted(
    engine: Engine, model: Model, part: Rowed, places: Rows, plan: Plan, submodel: Submodel | None = None
) -> Iterator[dict[str, Array]]:
    """The outputs for some rows of a part, batch by batch, by name."""
    batches = engine.feed(part)(batches_of(places, plan))
    names = [item.name for item in model.inputs] if submodel is None else list(submodel.source_names)
    chosen = (Batch({name: batch.tensors[name] for name in names}, batch.size) for batch in batches)
    yield from engine.predict(chosen, submodel)


def _gathered(session: Session, part: Rowed) -> list[Gathering]:
    """Outputs beside their targets, counted batch by batch."""
    outputs = trained(session.model)
    found = [
        Gathering(
            output.name, snake_case(type(output.loss).__name__), session.dataset.classes.get(output.name),
            from_logits=bool(getattr(output.loss, "from_logits", False)),
            ignore_class=getattr(output.loss, "ignore_class", None),
        )
        for output in outputs
    ]  # fmt: skip
    places = np.arange(len(part))
    predictions = predicted(session.engine, session.model, part, places, session.plan)
    for chosen, values in zip(batches_of(places, session.plan), predictions, strict=False):
        targets, masks = part.take(chosen), session.engine.masks()
        for gathering in found:
            gathering.add(values[gathering.output], targets[gathering.output], masks.get(gathering.output))
    return found


def _scatters(session: Session, part: Part) -> tuple[Scatters, dict[str, list[str]]]:
    """The plane of each submodel with two units, with a label for each point; the names of the labels."""
    scatters: Scatters = {}
    classes: dict[str, list[str]] = {}
    count = min(len(part), DRAWN)
    places = np.arange(count) if session.model.batch else np.unique(np.linspace(0, len(part) - 1, count).astype(int))
    for submodel in planes(session.model):
        points = [
            batch[submodel.target_names[0]]
            for batch in predicted(session.engine, session.model, part, places, session.plan, submodel)
        ]
        labels, names = _labels(session, part, places[: sum(map(len, points))])
        scatters[submodel.name] = np.concatenate(points), labels
        if names:
            classes[submodel.name] = names
    return scatters, classes


def planes(model: Model) -> list[Submodel]:
    """The submodels that map the model's inputs to two numbers."""
    inputs = {item.name for item in model.inputs}
    return [
        submodel
        for submodel in model.submodels
        if set(submodel.source_names) <= inputs
        and len(submodel.targets) == 1
        and submodel.targets[0].type.features == (2,)
    ]


def _labels(session: Session, part: Part, places: Rows) -> tuple[Array | None, list[str]]:
    """The class of each row, for colors, and the names of the classes: of an output that has classes, or beside the
    data."""
    targets = part.take(places)
    for output in trained(session.model):
        found = labels_of([targets[output.name]])
        if found is not None:
            return found, session.dataset.classes.get(output.name, [])
    beside = session.dataset.labels(part.rows[places]) if part.columns is session.dataset.columns else None
    return beside or (None, [])
